import { statSync, truncateSync } from 'node:fs';
import { createTwoFilesPatch } from 'diff';
import { EXIT, ReeveError } from '../errors.ts';
import { inventorySnapshot } from '../inventory/snapshot.ts';
import type { RunFolder, RunHeader } from '../journal/folder.ts';
import { MASK, Masker } from '../journal/masker.ts';
import { type ReadJournal, readJournal } from '../journal/read.ts';
import { lockRun } from '../journal/run-lock.ts';
import { loadDocument } from '../load/parse.ts';
import { type LoadedRun, loadRun } from './load-run.ts';
import { artefactReader, INVENTORY, sha256 } from './record.ts';

/** A run that is taken up again: to go on with it, or to take it back. */
export interface PastRun {
  folder: RunFolder;
  header: RunHeader;
  journal: ReadJournal;
  loaded: LoadedRun;
  /** Playbook or inventory differ from what was run, and that was accepted. */
  acceptedChanges: boolean;
  /** Gives the run back: nobody else writes its folder until then. */
  unlock: () => void;
}

/**
 * Reads a run's journal, and its playbook and inventory as they are now. A torn last line is cut off: it announced
 * something that did not begin.
 * @throws ReeveError `changed-since` (exit code 6) when they are not what was run and nobody accepts that, after showing
 * the difference; `run-busy` when it is going on at this moment.
 */
export async function takeUp(folder: RunFolder, options: Record<string, unknown>): Promise<PastRun> {
  const header = folder.readHeader();
  // Held from before the journal is read until it was written: another one could have gone on meanwhile.
  const unlock = lockRun(folder.path);
  try {
    const journal = readJournal(folder.events);
    if (journal.torn && statSync(folder.events).size > journal.length) truncateSync(folder.events, journal.length);
    const loaded = await loadRun((opener) => loadDocument(header.playbook.file, { opener }), asGiven(header, options));
    const missing = header.secretInputs.filter((name) => !loaded.filled.givenSecrets.includes(name));
    if (missing.length > 0) throw notRecorded(missing);
    const acceptedChanges = acceptChanges(folder, header, loaded, options.acceptChanges === true);
    return { folder, header, journal, loaded, acceptedChanges, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The command line of the run as it was: its inventory and inputs; secret inputs are given or asked for again. */
function asGiven(header: RunHeader, options: Record<string, unknown>): Record<string, unknown> {
  const isMasked = (value: unknown) => (JSON.stringify(value) ?? '').includes(MASK);
  const values = Object.entries({ ...header.inputs, ...header.extraVars }).filter(([, value]) => !isMasked(value));
  const extra = values.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const again = options.extraVars === undefined ? [] : [options.extraVars].flat();
  const isGiven = (name: string) => again.map(String).some((one) => one.startsWith('@') || one.startsWith(`${name}=`));
  const secret = Object.keys(header.extraVars).filter((name) => isMasked(header.extraVars[name]) && !isGiven(name));
  if (secret.length > 0) throw notRecorded(secret);
  return { ...options, inventory: header.inventory, extraVars: [...extra, ...again] };
}

/** Without them a default, or a variable of the same name, would silently take their place. */
function notRecorded(names: string[]): ReeveError {
  return new ReeveError('secret-not-recorded', `secrets are not recorded: ${names.join(', ')} must be given again`, {
    hint: 'give them with -e or REEVE_INPUT_NAME, as before',
    exitCode: EXIT.usage,
  });
}

function acceptChanges(folder: RunFolder, header: RunHeader, loaded: LoadedRun, accepted: boolean): boolean {
  const differences = differencesSince(folder, header, loaded);
  if (differences.length === 0) return false;
  process.stderr.write(`${differences.join('\n')}\n`);
  if (accepted) return true;
  throw new ReeveError('changed-since', 'playbook or inventory are not what was run before; the difference is above', {
    hint: 'put them back, or say --accept-changes when the rest may run as it is now',
    exitCode: EXIT.refused,
  });
}

/** Unified diffs of what was run and what is there now; secrets are masked in what was kept. */
function differencesSince(folder: RunFolder, header: RunHeader, loaded: LoadedRun): string[] {
  const read = artefactReader(folder);
  const masker = new Masker();
  loaded.secrets.tellTo((value) => masker.add(value));
  return header.files.flatMap(({ path, sha256: before, copy }) => {
    const document = loaded.documents.find(({ file }) => path === file || path.endsWith(`/${file}`));
    const current = path === INVENTORY ? inventorySnapshot(loaded.inventory) : document?.text;
    if (current !== undefined && sha256(current) === before) return [];
    return [
      createTwoFilesPatch(`${path} (as run)`, `${path} (now)`, read(copy), masker.text(current ?? ''), '', '', {
        context: 2,
      }),
    ];
  });
}
