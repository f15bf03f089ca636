import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import { inventorySnapshot } from '../inventory/snapshot.ts';
import { layeredScope } from '../language/scope.ts';
import type { LoadedRun } from './load-run.ts';
import { withoutPasswords } from './passwords.ts';
import { openInputs } from './record.ts';

/** What decides what a run does, beside the files and the inventory. */
export interface ApprovedOptions {
  limit: readonly string[];
  tags: readonly string[];
  skipTags: readonly string[];
}

/** Characters of the hash that people and CI pass around. */
const SHOWN = 16;

/** `production:3f2a…`: what `--approve` takes for this plan, or undefined when the playbook asks for no approval. */
export function approvalOf(loaded: LoadedRun, options: ApprovedOptions): string | undefined {
  const { playbook, filled } = loaded;
  if (!playbook.approval) return undefined;
  const scope = layeredScope([{ inputs: filled.inputs }, filled.extraVars, playbook.vars]);
  const name = String(playbook.approval.render(scope)).trim();
  return name === '' ? undefined : `${name}:${planHash(loaded, options)}`;
}

/** @throws ReeveError `approval-missing` (exit code 6) unless `given` is the approval of exactly this plan. */
export function requireApproval(wanted: string, given: string | undefined): void {
  if (given === wanted) return;
  const name = wanted.slice(0, wanted.lastIndexOf(':'));
  const isOther = given?.startsWith(`${name}:`) === true;
  throw new ReeveError(
    isOther ? 'approval-outdated' : 'approval-missing',
    isOther
      ? `the approval ${given} is for another plan: playbook, inventory, inputs or options have changed since`
      : `this run needs the approval "${name}"`,
    { hint: `look at it with --check, then run it with --approve ${wanted}`, exitCode: EXIT.refused },
  );
}

/**
 * The hash of a plan: the playbook and its includes, the files beside it that tasks can name, the inventory as it is
 * resolved, inputs and variables of the command line that are no secrets, and the options that choose hosts and tasks.
 * Not the state of the hosts: what is found there is looked at again when the plan runs. See docs/design/approval.md.
 */
export function planHash({ playbook, documents, inventory, filled }: LoadedRun, options: ApprovedOptions): string {
  const folder = dirname(resolve(playbook.file));
  const hash = createHash('sha256');
  const add = (what: string, text: string | Buffer) => {
    hash.update(`${what}\n${Buffer.byteLength(text)}\n`);
    hash.update(text);
  };
  for (const document of documents) add(`file ${relative(folder, resolve(document.file))}`, document.text);
  for (const name of ['files', 'templates']) {
    for (const file of filesBelow(join(folder, name))) add(`file ${relative(folder, file)}`, readFileSync(file));
  }
  add('inventory', inventorySnapshot(inventory));
  add('inputs', canonical(openInputs(playbook, filled.inputs)));
  add('extra vars', canonical(withoutPasswords(filled.extraVars)));
  add('options', canonical(options));
  return hash.digest('hex').slice(0, SHOWN);
}

function filesBelow(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !basename(entry.name).startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** JSON that does not depend on the order in which keys were given. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
