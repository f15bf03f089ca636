import { statSync, truncateSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { COMMAND_LINE, EXIT, ReeveError } from '../errors.ts';
import type { GivenValues, Renamed, RunEvent } from '../events.ts';
import { holdsMask } from '../execute/lost-secret.ts';
import { inventorySnapshot } from '../inventory/snapshot.ts';
import type { RunFolder, RunHeader } from '../journal/folder.ts';
import { type ReadJournal, readJournal } from '../journal/read.ts';
import { lockRun } from '../journal/run-lock.ts';
import type { Document } from '../load/document.ts';
import type { Opener } from '../load/opener.ts';
import { loadDocument, parseDocument } from '../load/parse.ts';
import type { Outline } from '../outline.ts';
import { type Given, inputVariable } from '../playbook/fill-inputs.ts';
import type { Playbook, Step } from '../playbook/model.ts';
import { compareOutlines } from './changes.ts';
import { type LoadedRun, loadRun } from './load-run.ts';
import { text } from './options.ts';
import { outlineOf } from './outline.ts';
import { maskerOf } from './passwords.ts';
import { artefactReader, givenValues, INVENTORY, sha256 } from './record.ts';

/** A run that is taken up again: to go on with it, or to take it back. */
export interface PastRun {
  folder: RunFolder;
  header: RunHeader;
  journal: ReadJournal;
  loaded: LoadedRun;
  changed: ChangedSince;
  /** What it goes on with, when that is something else than before. */
  given?: GivenValues;
  /** Gives the run back: nobody else writes its folder until then. */
  unlock: () => void;
}

/** How playbook and inventory differ from what was run. */
export interface ChangedSince {
  /** In what remains, and that was accepted. */
  accepted: boolean;
  /** Plays that have changed and are done. */
  past: readonly number[];
  /** What is there now, when it is something else. */
  outline?: Outline;
  renamed?: Renamed;
}

const NOTHING_CHANGED: ChangedSince = { accepted: false, past: [] };

/**
 * Reads a run's journal, and its playbook and inventory as they are now. A torn last line is cut off: it announced
 * something that did not begin.
 * @param counts which changes since count.
 * @throws ReeveError `changed-since` (exit code 6) when what remains is not what it was and nobody accepts that, after
 * showing the difference; `run-busy` when it is going on at this moment.
 */
export async function takeUp(
  folder: RunFolder,
  options: Record<string, unknown>,
  counts: 'all' | 'what remains' = 'all',
): Promise<PastRun> {
  const header = folder.readHeader();
  // Held from before the journal is read until it was written: another one could have gone on meanwhile.
  const unlock = lockRun(folder.path);
  try {
    const journal = readJournal(folder.events);
    if (journal.torn && statSync(folder.events).size > journal.length) truncateSync(folder.events, journal.length);
    const before = givenBefore(header, journal.events);
    const loaded = await loadRun(
      (opener) => playbookOf(folder, header, opener),
      { ...options, inventory: header.inventory },
      undefined,
      asGiven(before, options),
    );
    const { givenSecrets, extraVars } = loaded.filled;
    const missing = [
      ...before.secretInputs.filter((name) => !givenSecrets.includes(name)),
      ...maskedNames(before.extraVars).filter((name) => !Object.hasOwn(extraVars, name)),
    ];
    if (missing.length > 0) throw notRecorded(missing);
    learnGivenRegisters(loaded);
    const past = { folder, header, journal, loaded };
    const changed = acceptChanges(past, options.acceptChanges === true, counts);
    const given = givenNow(loaded);
    return { ...past, changed, ...(isDeepStrictEqual(given, before) ? {} : { given }), unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The playbook as it is now; that of `reeve exec` is what was recorded. */
function playbookOf(folder: RunFolder, { playbook: { file }, files }: RunHeader, opener: Opener): Document {
  if (basename(file) !== COMMAND_LINE) return loadDocument(file, { opener });
  const recorded = files.find(({ path }) => path === file);
  const copy = recorded === undefined ? '' : artefactReader(folder)(recorded.copy);
  if (recorded && sha256(copy) === recorded.sha256) return parseDocument(copy, file);
  throw new ReeveError('secret-not-recorded', 'the command line of this run held a secret, and is not recorded', {
    hint: 'run the command again: that is a run of its own',
    exitCode: EXIT.usage,
  });
}

/**
 * Goes to the folder that the run was started in: tasks of this machine run there, with paths that are relative to it.
 * @returns the options, whose own paths are relative to the folder that this was called in.
 * @throws ReeveError `folder-gone`
 */
export function returnToFolder({ operator }: RunHeader, options: Record<string, unknown>): Record<string, unknown> {
  const report = text(options.report, '--report');
  const absolute = report === undefined ? options : { ...options, report: resolve(report) };
  try {
    process.chdir(operator.cwd);
  } catch (cause) {
    throw new ReeveError('folder-gone', `the run was started in ${operator.cwd}, and that is not there any more`, {
      hint: 'what tasks do on this machine could be done in another place: make the folder again',
      exitCode: EXIT.usage,
      cause,
    });
  }
  return absolute;
}

/** What the run was given last: a resume can have been given something else than the run. */
function givenBefore({ inputs, secretInputs, extraVars }: RunHeader, events: readonly RunEvent[]): GivenValues {
  const later = events.flatMap((event) => (event.type === 'run-resumed' ? (event.given ?? []) : []));
  return later.at(-1) ?? { inputs, secretInputs, extraVars };
}

function givenNow({ playbook, filled }: LoadedRun): GivenValues {
  const values = givenValues(playbook, filled);
  return { ...values, extraVars: withoutRegisters(playbook, values.extraVars) };
}

/** Registers that are given again are as secret as what they held, and no part of what a run was given. */
export function withoutRegisters(playbook: Playbook, extraVars: Record<string, unknown>): Record<string, unknown> {
  const registers = registersOf(playbook);
  return Object.fromEntries(Object.entries(extraVars).filter(([name]) => !registers.includes(name)));
}

/** The recorded values as they were, types and all; what was secret is given or asked for again. */
function asGiven(
  { inputs, extraVars }: GivenValues,
  options: Record<string, unknown>,
): (playbook: Playbook) => Given[] {
  const again = options.extraVars === undefined ? [] : [options.extraVars].flat();
  const isGiven = (name: string) =>
    again.map(String).some((one) => one.startsWith('@') || one.startsWith(`${name}=`)) ||
    process.env[inputVariable(name)] !== undefined;
  const secret = maskedNames({ ...inputs, ...extraVars }).filter((name) => !isGiven(name));
  if (secret.length > 0) throw notRecorded(secret);
  return (playbook) => {
    // An input that an accepted change has taken away is no variable that nothing uses.
    const there = Object.entries(inputs).filter(([name]) => Object.hasOwn(playbook.inputs, name));
    return [...there, ...Object.entries(extraVars)]
      .filter(([, value]) => !holdsMask(value))
      .map(([name, value]) => ({ name, value, from: 'the run' }));
  };
}

function maskedNames(values: Record<string, unknown>): string[] {
  return Object.keys(values).filter((name) => holdsMask(values[name]));
}

/** A register that is given again held a secret: it is one. */
function learnGivenRegisters({ playbook, filled, secrets }: LoadedRun): void {
  for (const name of registersOf(playbook))
    if (Object.hasOwn(filled.extraVars, name)) secrets.learn(filled.extraVars[name]);
}

function registersOf(playbook: Playbook): string[] {
  const of = (steps: readonly Step[]): string[] =>
    steps.flatMap((step) =>
      step.kind === 'task' ? (step.register ?? []) : of([...step.steps, ...step.rescue, ...step.always]),
    );
  return playbook.plays.flatMap((play) => of([...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers]));
}

/** Without them a default, or a variable of the same name, would silently take their place. */
function notRecorded(names: string[]): ReeveError {
  return new ReeveError('secret-not-recorded', `secrets are not recorded: ${names.join(', ')} must be given again`, {
    hint: 'give them with -e or REEVE_INPUT_NAME, as before',
    exitCode: EXIT.usage,
  });
}

/**
 * Lets a run go on when nothing that remains has changed; says on stderr what has, and shows the difference.
 * @throws ReeveError `changed-since`
 */
function acceptChanges(
  { folder, header, journal, loaded }: Pick<PastRun, 'folder' | 'header' | 'journal' | 'loaded'>,
  accepted: boolean,
  counts: 'all' | 'what remains',
): ChangedSince {
  const differences = differencesSince(folder, header, loaded);
  const now = outlineOf(loaded, inventorySnapshot(loaded.inventory));
  const before = outlineBefore(header, journal.events);
  // What is taken back was done by all of it; a run of an older reeve does not say what of it lies where.
  if (!before || counts === 'all') {
    return differences.length === 0 ? NOTHING_CHANGED : accept(['playbook or inventory'], differences, accepted, {});
  }
  const { reaching, past: done, renamed } = compareOutlines(before, now, journal.events);
  for (const index of done) {
    const { name } = now.plays[index]!;
    process.stderr.write(`note: play "${name}" has changed since; it is done on all its hosts and is not run again\n`);
  }
  refuseMoved(before, now);
  const past = [...new Set([...pastBefore(journal.events), ...done])];
  const changed = { past, ...(isDeepStrictEqual(before, now) ? {} : { outline: now, renamed }) };
  return reaching.length === 0 ? { ...NOTHING_CHANGED, ...changed } : accept(reaching, differences, accepted, changed);
}

function accept(
  reaching: readonly string[],
  differences: readonly string[],
  accepted: boolean,
  changed: Partial<ChangedSince>,
): ChangedSince {
  const what = `what remains may depend on what has changed: ${reaching.join(', ')}`;
  process.stderr.write(`${[...differences, what].join('\n')}\n`);
  if (accepted) return { ...NOTHING_CHANGED, ...changed, accepted };
  throw new ReeveError('changed-since', 'playbook or inventory are not what was run before; the difference is above', {
    hint: 'put them back, or say --accept-changes when the rest may run as it is now',
    exitCode: EXIT.refused,
  });
}

/** What was run last: a resume can have accepted another playbook than the first. */
function outlineBefore(header: RunHeader, events: readonly RunEvent[]): Outline | undefined {
  const outlines = events.flatMap((event) => (event.type === 'run-resumed' ? (event.outline ?? []) : []));
  return outlines.at(-1) ?? header.outline;
}

/** A play that an earlier resume has left alone since it had changed is left alone by every later one. */
function pastBefore(events: readonly RunEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'run-resumed' ? (event.past ?? []) : []));
}

/** @throws ReeveError `plays-moved`: records know plays by their number. */
function refuseMoved(before: Outline, now: Outline): void {
  const moved = before.plays.find(({ name }, index) => {
    const at = now.plays.findIndex((play) => play.name === name);
    return at >= 0 && at !== index && now.plays[index]?.name !== name;
  });
  if (!moved) return;
  throw new ReeveError('plays-moved', `play "${moved.name}" stands elsewhere now: what it has done cannot be told`, {
    hint: 'put the plays in the order in which they were, and new ones behind them',
    exitCode: EXIT.refused,
  });
}

/** Unified diffs of what was run and what is there now; secrets are masked in what was kept. */
function differencesSince(folder: RunFolder, header: RunHeader, loaded: LoadedRun): string[] {
  const read = artefactReader(folder);
  const masker = maskerOf(loaded);
  return header.files.flatMap(({ path, sha256: before, copy }) => {
    const document = loaded.documents.find(({ file }) => path === file || path.endsWith(`/${file}`));
    const current = path === INVENTORY ? inventorySnapshot(loaded.inventory) : document?.text;
    if (current !== undefined && sha256(current) === before) return [];
    const [then, now] = [read(copy), masker.text(current ?? '')];
    if (then === now) return [`${path}: only secrets in it differ`];
    return [createTwoFilesPatch(`${path} (as run)`, `${path} (now)`, then, now, '', '', { context: 2 })];
  });
}
