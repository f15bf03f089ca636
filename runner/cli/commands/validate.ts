import { modules } from '../../../modules/index.ts';
import { EXIT } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import type { Opener } from '../../load/opener.ts';
import { runValidate } from '../../validate/run-validate.ts';
import { printDiagnostics } from '../diagnostics.ts';
import { ENGINE_VARIABLES } from '../engine-variables.ts';
import { openSources } from '../open-inventory.ts';
import { givenInventory } from '../options.ts';
import { UsageError } from '../report-error.ts';
import { openSecrets } from '../secrets.ts';

/** `reeve validate FILE… [-i INV]`: every error of every file in one go, exit 4; nothing is connected to. */
export async function validate(files: string[], options: Record<string, unknown>): Promise<number> {
  if (files.length === 0) throw new UsageError('validate takes the files to check');
  const sources = givenInventory(options.inventory);
  const secrets = openSecrets(options);
  const { diagnostics, exitCode } = await secrets.load(async () => {
    const inventory = sources.length === 0 ? undefined : await opened(sources, options, secrets);
    return runValidate({
      files,
      registry: modules,
      opener: secrets,
      inventory,
      warnOfVariables: true,
      engineVariables: ENGINE_VARIABLES,
    });
  });
  if (diagnostics.length > 0) printDiagnostics(diagnostics);
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  if (exitCode === EXIT.done) console.log(`${counted(files.length, 'file is', 'files are')} valid`);
  else console.error(`${counted(errors, 'error', 'errors')} in ${counted(files.length, 'file', 'files')}`);
  return exitCode;
}

/** What is wrong with the inventory is reported together with what is wrong with the playbooks. */
async function opened(
  sources: string[],
  options: Record<string, unknown>,
  opener: Opener,
): Promise<Inventory | (() => Inventory)> {
  try {
    return await openSources(sources, options, { opener });
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
