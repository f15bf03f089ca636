import { statSync, truncateSync } from 'node:fs';
import { createTwoFilesPatch } from 'diff';
import { EXIT, ReeveError } from '../../errors.ts';
import { Replay } from '../../execute/replay.ts';
import { inventorySnapshot } from '../../inventory/snapshot.ts';
import { findRun, type RunFolder, type RunHeader } from '../../journal/folder.ts';
import { readJournal } from '../../journal/read.ts';
import { lockRun } from '../../journal/run-lock.ts';
import { loadDocument } from '../../load/parse.ts';
import { execute } from '../execute.ts';
import { type LoadedRun, loadRun } from '../load-run.ts';
import { text } from '../options.ts';
import { artefactReader, INVENTORY, runsFolder, sha256 } from '../record.ts';

/** `reeve resume RUN`: goes on at the first thing that the journal does not say is done. */
export async function resume(wanted: string, options: Record<string, unknown>): Promise<number> {
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted);
  const header = folder.readHeader();
  if (header.options.check) throw refused('a check has changed nothing and has nothing to go on with');
  // Held only while reading: execute takes it for itself, and two resumes at once must not both read an old journal.
  const unlock = lockRun(folder.path);
  let events: ReturnType<typeof readJournal>;
  try {
    events = readWhole(folder);
  } finally {
    unlock();
  }
  const last = events.events.at(-1);
  if (last?.type === 'run-ended' && last.outcome === 'done')
    throw refused('this run has ended well; nothing is left to do');
  const loaded = await loadRun(loadDocument(header.playbook.file), asGiven(header, options));
  const acceptedChanges = acceptChanges(folder, header, loaded, options.acceptChanges === true);
  const { check, diff, forks, limit, tags, skipTags } = header.options;
  const settings = {
    ...{ check, diff: diff || options.diff === true, forks, tags, skipTags },
    ...(limit === undefined ? {} : { limit }),
    inputs: loaded.filled.inputs,
    extraVars: loaded.filled.extraVars,
    startedAt: new Date(header.startedAt),
  };
  return execute({
    file: header.playbook.file,
    ...loaded,
    options,
    resumed: { folder, settings, replay: new Replay(events.events), seq: last?.seq ?? 0, acceptedChanges },
  });
}

/** A torn last line is cut off: it announced something that did not begin. */
function readWhole(folder: RunFolder): ReturnType<typeof readJournal> {
  const journal = readJournal(folder.events);
  if (journal.torn && statSync(folder.events).size > journal.length) truncateSync(folder.events, journal.length);
  return journal;
}

/** The command line of the run as it was: its inventory and inputs; secret inputs are given or asked for again. */
function asGiven(header: RunHeader, options: Record<string, unknown>): Record<string, unknown> {
  const values = { ...header.inputs, ...header.extraVars };
  const extra = Object.entries(values).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const again = options.extraVars === undefined ? [] : [options.extraVars].flat();
  return { ...options, inventory: header.inventory, extraVars: [...extra, ...again] };
}

/** @throws ReeveError `changed-since`, exit code 6, when playbook or inventory are not what was run before. */
function acceptChanges(folder: RunFolder, header: RunHeader, loaded: LoadedRun, accepted: boolean): boolean {
  const now = new Map(loaded.documents.map((document) => [document.file, document.text]));
  const read = artefactReader(folder);
  const differences: string[] = [];
  for (const { path, sha256: before, copy } of header.files) {
    const current = path === INVENTORY ? inventorySnapshot(loaded.inventory) : textOf(now, path);
    if (current !== undefined && sha256(current) === before) continue;
    // Secrets are masked in the copy: only what it can show is shown.
    differences.push(
      createTwoFilesPatch(`${path} (as run)`, `${path} (now)`, read(copy), current ?? '', '', '', { context: 2 }),
    );
  }
  if (differences.length === 0) return false;
  process.stderr.write(`${differences.join('\n')}\n`);
  if (accepted) return true;
  throw refused('playbook or inventory are not what was run before; the difference is above', 'changed-since');
}

function textOf(documents: ReadonlyMap<string, string>, path: string): string | undefined {
  for (const [file, text] of documents) if (path === file || path.endsWith(`/${file}`)) return text;
  return undefined;
}

function refused(message: string, code = 'refused'): ReeveError {
  return new ReeveError(code, message, {
    ...(code === 'changed-since'
      ? { hint: 'put them back, or say --accept-changes when the rest may run as it is now' }
      : {}),
    exitCode: EXIT.refused,
  });
}
