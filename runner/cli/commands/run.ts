import { dirname } from 'node:path';
import { modules } from '../../../modules/index.ts';
import { EXIT, ReeveError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { fillInputs } from '../../playbook/fill-inputs.ts';
import { loadPlaybook } from '../../playbook/parse.ts';
import { ask, canAsk } from '../ask.ts';
import { execute } from '../execute.ts';
import { readExtraVars } from '../extra-vars.ts';
import { count, inventorySources, text, texts, words } from '../options.ts';

/** `reeve run PLAYBOOK`: returns the exit code. */
export async function run(file: string, options: Record<string, unknown>): Promise<number> {
  const playbook = loadPlaybook(file, modules);
  const sources = await inventorySources(options.inventory);
  const inventory = loadInventory(sources, dirname(file));
  const given = readExtraVars(texts(options.extraVars));
  const filled = await fillInputs(playbook, given, process.env, canAsk() ? ask : undefined);
  return execute({ file, playbook, inventory, filled, options });
}
