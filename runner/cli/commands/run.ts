import { loadDocument } from '../../load/parse.ts';
import { loadRun } from '../load-run.ts';

/** `reeve run PLAYBOOK`: returns the exit code. */
export async function run(file: string, options: Record<string, unknown>): Promise<number> {
  const loaded = await loadRun(loadDocument(file), options);
  if (options.listHosts || options.listTasks || options.listTags) {
    const { printLists } = await import('../lists.ts');
    return printLists(loaded, options);
  }
  const { execute } = await import('../execute.ts');
  return execute({ file, ...loaded, options });
}
