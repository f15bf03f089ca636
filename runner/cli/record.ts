import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ReeveError } from '../errors.ts';
import type { GivenValues } from '../events.ts';
import { holdsMask } from '../execute/lost-secret.ts';
import type { RunSettings } from '../execute/run-state.ts';
import type { Inventory } from '../inventory/model.ts';
import { inventorySnapshot } from '../inventory/snapshot.ts';
import { createRunFolder, type RunFolder, type RunHeader, writeHeader } from '../journal/folder.ts';
import { gitState } from '../journal/git-state.ts';
import { journalError } from '../journal/journal-error.ts';
import { MASK, type Masker } from '../journal/masker.ts';
import { toPlain } from '../language/access.ts';
import type { Document } from '../load/document.ts';
import type { Filled } from '../playbook/fill-inputs.ts';
import type { Playbook } from '../playbook/model.ts';
import { withoutSecrets } from '../playbook/secret-inputs.ts';
import { outlineOf } from './outline.ts';
import { withoutPasswords } from './passwords.ts';
import { version } from './version.ts';

/** What is recorded of a run before it begins. */
export interface Recording {
  id: string;
  runs: string;
  file: string;
  playbook: Playbook;
  /** The playbook's document and those of its includes. */
  documents: readonly Document[];
  inventory: Inventory;
  inventorySources: readonly string[];
  settings: RunSettings;
  masker: Masker;
  filled: Filled;
  approved?: string | undefined;
}

/**
 * Makes the run's folder and writes down what is about to run, without secrets.
 * @throws ReeveError `journal-failed`
 */
export async function recordRun(recording: Recording): Promise<RunFolder> {
  const folder = createRunFolder(recording.runs, recording.id);
  try {
    await writeDown(folder, recording);
  } catch (error) {
    throw error instanceof ReeveError ? error : journalError(folder.path, error);
  }
  return folder;
}

async function writeDown(folder: RunFolder, recording: Recording): Promise<void> {
  const { id, playbook, documents, inventory, settings, masker } = recording;
  // It answers while the copies are written.
  const askedGit = gitState(dirname(resolve(recording.file)));
  const files = documents.map((document) => keepFile(folder, masker, resolve(document.file), document.text));
  const snapshot = inventorySnapshot(inventory);
  files.push(keepFile(folder, masker, INVENTORY, snapshot));
  const git = await askedGit;
  const ci = ciJob();
  const { check, diff, forks, limit, tags, skipTags, locks, onFailure } = settings;
  const header: RunHeader = {
    version: 1,
    run: id,
    startedAt: settings.startedAt.toISOString(),
    reeve: version(),
    node: process.version,
    playbook: { file: resolve(recording.file), name: playbook.name },
    files,
    inventory: recording.inventorySources.map((source) => (source.includes(',') ? source : resolve(source))),
    outline: outlineOf({ playbook, documents }, snapshot),
    ...maskedGiven(playbook, recording.filled, masker),
    ...(recording.approved === undefined ? {} : { approved: recording.approved }),
    options: {
      ...{ check, diff, forks, tags, skipTags },
      ...(limit === undefined ? {} : { limit }),
      ...(locks ? { locks } : {}),
      ...(onFailure ? { onFailure } : {}),
    },
    operator: { user: userInfo().username, host: hostname(), cwd: process.cwd() },
    ...(git ? { git } : {}),
    ...(ci ? { ci } : {}),
  };
  writeHeader(folder, header);
}

/** Stands for the inventory among the files of a run: what it means, not how it is written. */
export const INVENTORY = 'inventory.json';

/** The hash is of the text as it was, the copy is masked. */
function keepFile(folder: RunFolder, masker: Masker, path: string, text: string): RunHeader['files'][number] {
  return { path, sha256: sha256(text), copy: folder.keep(path.split('/').at(-1)!, masker.text(text), false) };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What was given, without what is secret by its name or its declaration. */
export function givenValues(playbook: Playbook, { inputs, givenSecrets, extraVars }: Filled): GivenValues {
  return {
    inputs: openInputs(playbook, inputs),
    secretInputs: givenSecrets,
    extraVars: withoutPasswords(extraVars),
  };
}

/** The same, masked. A default that is masked is left out: it stands in the playbook, and need not be given again. */
function maskedGiven(playbook: Playbook, filled: Filled, masker: Masker): GivenValues {
  const given = masker.value(givenValues(playbook, filled));
  const isLost = (name: string) =>
    holdsMask(given.inputs[name]) && isDeepStrictEqual(filled.inputs[name], toPlain(playbook.inputs[name]?.default));
  return { ...given, inputs: Object.fromEntries(Object.entries(given.inputs).filter(([name]) => !isLost(name))) };
}

/** Inputs that are no secrets, and a mask for those of their members that are. */
export function openInputs(playbook: Playbook, inputs: Record<string, unknown>): Record<string, unknown> {
  const open = Object.entries(inputs).filter(([name]) => !playbook.inputs[name]?.secret);
  return Object.fromEntries(open.map(([name, value]) => [name, withoutSecrets(playbook.inputs[name], value, MASK)]));
}

/** The job that a CI system runs this in, by the variables that the common ones set. */
function ciJob(): RunHeader['ci'] {
  const { env } = process;
  if (env.GITHUB_ACTIONS) {
    return {
      name: 'GitHub Actions',
      url: `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`,
    };
  }
  if (env.GITLAB_CI) return { name: 'GitLab CI', ...(env.CI_JOB_URL ? { url: env.CI_JOB_URL } : {}) };
  if (env.JENKINS_URL) return { name: 'Jenkins', ...(env.BUILD_URL ? { url: env.BUILD_URL } : {}) };
  return env.CI ? { name: 'CI' } : undefined;
}

/** Where runs are recorded: `--runs`, REEVE_RUNS, else `.reeve/runs` here. */
export function runsFolder(given: string | undefined): string {
  return resolve(given ?? process.env.REEVE_RUNS ?? join('.reeve', 'runs'));
}

/** The text of an artefact of a run. */
export function artefactReader(folder: RunFolder): (path: string) => string {
  return (path) => readFileSync(join(folder.path, path), 'utf8');
}
