import { dirname } from 'node:path';
import { modules } from '../../modules/index.ts';
import { InvalidError } from '../errors.ts';
import { loadInventory } from '../inventory/load.ts';
import type { RunHeader } from '../journal/folder.ts';
import { Masker } from '../journal/masker.ts';
import { loadDocument } from '../load/parse.ts';
import { inputVariable } from '../playbook/fill-inputs.ts';
import type { Playbook } from '../playbook/model.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import { secretsIn } from '../playbook/secret-inputs.ts';
import { hideInventoryPasswords } from './passwords.ts';
import { openSecrets } from './secrets.ts';
import { writeOnlyValues } from './write-only.ts';

/**
 * Knows the secrets of a run as far as its playbook, its inventory's files and the environment give them without a
 * person, a command or a network: for what is written into its folder beside the run itself.
 * @returns `problem` when not all of them could be opened.
 */
export async function secretsOfRun(
  header: RunHeader,
  options: Record<string, unknown>,
): Promise<{ masker: Masker; problem?: string }> {
  const masker = new Masker();
  const secrets = openSecrets(options);
  secrets.tellTo((value) => masker.add(value));
  try {
    await secrets.load(() => {
      const { playbook } = parsePlaybook(loadDocument(header.playbook.file, { opener: secrets }), modules, secrets);
      if (playbook) secrets.learn(secretInputs(playbook));
      const place = { playbookDirectory: dirname(header.playbook.file), opener: secrets };
      const inventory = loadInventory(header.inventory, place);
      hideInventoryPasswords(inventory, masker);
      if (playbook) masker.add(writeOnlyValues(playbook, inventory, { inputs: {}, extraVars: {} }));
    });
    await secrets.check();
    return { masker };
  } catch (error) {
    const message = error instanceof InvalidError ? error.diagnostics[0]?.message : undefined;
    return { masker, problem: masker.text(message ?? (error as Error).message) };
  }
}

function secretInputs({ inputs }: Playbook): unknown[] {
  return Object.entries(inputs).flatMap(([name, spec]) => [
    ...secretsIn(spec, spec.default),
    ...(spec.secret ? [process.env[inputVariable(name)]] : []),
  ]);
}
