import { dirname } from 'node:path';
import { modules } from '../../modules/index.ts';
import { InvalidError } from '../errors.ts';
import { loadInventory } from '../inventory/load.ts';
import type { Inventory } from '../inventory/model.ts';
import type { Document } from '../load/document.ts';
import { type Filled, fillInputs } from '../playbook/fill-inputs.ts';
import type { Playbook } from '../playbook/model.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import { sortDiagnostics } from '../validate/sort.ts';
import { validatePlaybook } from '../validate/validate-playbook.ts';
import { canAsk } from './ask.ts';
import { printDiagnostics } from './diagnostics.ts';
import { ENGINE_VARIABLES } from './engine-variables.ts';
import { readExtraVars } from './extra-vars.ts';
import { inventorySources, texts } from './options.ts';
import { Person } from './person.ts';

/** A playbook that may be run: nothing is wrong with it on this inventory, and every input has a value. */
export interface LoadedRun {
  playbook: Playbook;
  inventory: Inventory;
  filled: Filled;
}

/**
 * Loads a playbook and its inventory and checks them against each other before anything connects. Warnings are printed.
 * @throws InvalidError with all mistakes, UsageError for an `-e` that nothing uses.
 */
export async function loadRun(
  document: Document,
  options: Record<string, unknown>,
  directory = dirname(document.file),
): Promise<LoadedRun> {
  const { playbook, diagnostics } = parsePlaybook(document, modules);
  if (!playbook) throw new InvalidError(diagnostics);
  const inventory = loadInventory(await inventorySources(options.inventory), directory);
  const given = readExtraVars(texts(options.extraVars));
  const extraVars = given.map(({ name }) => name).filter((name) => !Object.hasOwn(playbook.inputs, name));
  const found = sortDiagnostics([
    ...diagnostics,
    ...validatePlaybook(playbook, inventory, modules, { extraVars, engineVariables: ENGINE_VARIABLES }),
  ]);
  if (found.some(({ severity }) => severity === 'error')) throw new InvalidError(found);
  if (found.length > 0) printDiagnostics(found);
  const person = canAsk() ? new Person() : undefined;
  const filled = await fillInputs(
    playbook,
    given,
    process.env,
    person && ((question, secret) => person.ask(question, secret)),
  );
  if (options.askBecomePass === true) await askBecomePassword(filled);
  return { playbook, inventory, filled };
}

/** One password for every host that has none of its own to become another user with. */
async function askBecomePassword(filled: Filled): Promise<void> {
  const password = await new Person().ask('Password for becoming another user:', true);
  filled.extraVars.become_password = password;
  filled.secrets.push(password);
}
