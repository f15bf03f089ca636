import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import type { RunHeader } from '../run-header.ts';

export type { RunHeader } from '../run-header.ts';

/** One run on disk: `.reeve/runs/<id>/`, mode 0700. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get id(): string {
    return this.path.split('/').at(-1)!;
  }

  get events(): string {
    return join(this.path, 'events.jsonl');
  }

  get header(): string {
    return join(this.path, 'run.json');
  }

  get artefacts(): string {
    return join(this.path, 'artefacts');
  }

  readHeader(): RunHeader {
    try {
      return JSON.parse(readFileSync(this.header, 'utf8')) as RunHeader;
    } catch (cause) {
      throw new ReeveError('run-unreadable', `${this.header} cannot be read: ${(cause as Error).message}`, {
        cause,
        exitCode: EXIT.usage,
      });
    }
  }

  /**
   * A copy of a file as it was, or a full output, under a name that is not taken yet; it is on disk before the event that
   * names it, unless `sync` leaves that to `syncFolder`. Gives its path in the folder.
   */
  keep(name: string, content: string | Uint8Array, sync = true): string {
    const safe = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(-100);
    let path = join('artefacts', safe);
    for (let n = 2; existsSync(join(this.path, path)); n++) path = join('artefacts', `${n}-${safe}`);
    writeFileSync(join(this.path, path), content, { mode: 0o600, flush: sync });
    return path;
  }
}

/**
 * Makes the folder of a new run.
 * @throws ReeveError `journal-failed` when it cannot be made.
 */
export function createRunFolder(runs: string, id: string): RunFolder {
  const folder = new RunFolder(resolve(runs, id));
  try {
    makeFolders(resolve(runs));
    mkdirSync(folder.path, { mode: 0o700 });
    mkdirSync(folder.artefacts, { mode: 0o700 });
  } catch (cause) {
    throw new ReeveError('journal-failed', `the folder of the run cannot be made: ${(cause as Error).message}`, {
      hint: 'choose another folder with --runs DIR or REEVE_RUNS',
      exitCode: EXIT.unexpected,
      cause,
    });
  }
  return folder;
}

/** One level at a time: Node's own recursive mkdir never returns where the system answers ENOENT for every level (/proc). */
export function makeFolders(path: string, mode = 0o700): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

export function writeHeader(folder: RunFolder, header: RunHeader): void {
  writeFileSync(folder.header, `${JSON.stringify(header, undefined, 2)}\n`, { mode: 0o600 });
}

/** Ids of all runs in a folder, the oldest first. */
export function listRuns(runs: string): string[] {
  if (!existsSync(runs)) return [];
  return readdirSync(runs)
    .filter((name) => existsSync(join(runs, name, 'run.json')))
    .sort();
}

/**
 * The folder of a run by its id, the beginning of its id, `last`, or its path.
 * @throws ReeveError `unknown-run`.
 */
export function findRun(runs: string, wanted: string): RunFolder {
  if (wanted !== '' && existsSync(join(wanted, 'run.json'))) return new RunFolder(resolve(wanted));
  const all = listRuns(runs);
  // An empty name is a variable of a script that is not set, and no beginning of every id.
  const fits = (id: string) => wanted !== '' && id.startsWith(wanted);
  const found = wanted === 'last' ? all.slice(-1) : all.filter(fits);
  if (found.length === 1) return new RunFolder(resolve(runs, found[0]!));
  const why =
    found.length === 0 ? `there is no run ${wanted || '«»'} in ${runs}` : `${wanted} fits ${found.length} runs`;
  throw new ReeveError('unknown-run', why, { hint: '`reeve history` lists them', exitCode: EXIT.usage });
}
