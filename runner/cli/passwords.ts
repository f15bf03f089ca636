import { CONNECTION_VARIABLES } from '../execute/connection-spec.ts';
import type { Inventory } from '../inventory/model.ts';
import { Masker } from '../journal/masker.ts';
import type { LoadedRun } from './load-run.ts';
import { writeOnlyValues } from './write-only.ts';

/**
 * Knows what must never be seen of a run before anything of it is told, whichever process tells it: the run, a resume, a
 * rollback. That is what its secrets open to, passwords that stand in plain text in its inventory or its `-e`, and what is
 * handed to arguments that are secret by their nature.
 * @param tooShort is told of a secret that is too short to be masked (its length only).
 */
export function maskerOf(
  { secrets, playbook, inventory, filled }: Pick<LoadedRun, 'secrets' | 'playbook' | 'inventory' | 'filled'>,
  tooShort?: (length: number) => void,
): Masker {
  const masker = new Masker(tooShort);
  secrets.tellTo((value) => masker.add(value));
  hideInventoryPasswords(inventory, masker);
  for (const name of passwordNames()) if (Object.hasOwn(filled.extraVars, name)) masker.add(filled.extraVars[name]);
  masker.add(writeOnlyValues(playbook, inventory, filled));
  return masker;
}

/** Passwords that stand in the inventory as they are are secrets all the same. */
export function hideInventoryPasswords(inventory: Inventory, masker: Masker): void {
  const names = passwordNames();
  for (const host of inventory.hosts.keys()) {
    for (const { definitions } of inventory.layersOf(host)) {
      for (const name of names) if (Object.hasOwn(definitions, name)) masker.add(definitions[name]!.value);
    }
  }
}

/** Passwords are given again on resume; short ones would not be masked. */
export function withoutPasswords(variables: Record<string, unknown>): Record<string, unknown> {
  const names = passwordNames();
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !names.includes(name)));
}

function passwordNames(): string[] {
  const rows: { names: readonly string[]; secret?: boolean }[] = Object.values(CONNECTION_VARIABLES);
  return rows.flatMap((row) => (row.secret ? row.names : []));
}
