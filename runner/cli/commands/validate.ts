import { modules } from '../../../modules/index.ts';
import { EXIT } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { runValidate } from '../../validate/run-validate.ts';
import { printDiagnostics } from '../diagnostics.ts';
import { ENGINE_VARIABLES } from '../engine-variables.ts';
import { givenInventory } from '../options.ts';
import { UsageError } from '../report-error.ts';

/** `reeve validate FILE… [-i INV]`: every error of every file in one go, exit 4; nothing is connected to. */
export async function validate(files: string[], options: Record<string, unknown>): Promise<number> {
  if (files.length === 0) throw new UsageError('validate takes the files to check');
  const sources = givenInventory(options.inventory);
  const inventory = sources.length === 0 ? undefined : () => loadInventory(sources);
  const { diagnostics, exitCode } = runValidate({
    files,
    registry: modules,
    inventory,
    engineVariables: ENGINE_VARIABLES,
  });
  if (diagnostics.length > 0) printDiagnostics(diagnostics);
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  if (exitCode === EXIT.done) console.log(`${counted(files.length, 'file is', 'files are')} valid`);
  else console.error(`${counted(errors, 'error', 'errors')} in ${counted(files.length, 'file', 'files')}`);
  return exitCode;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
