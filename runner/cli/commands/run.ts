import { limitTerms } from '../../inventory/limit.ts';
import { loadDocument } from '../../load/parse.ts';
import { type LoadedRun, loadRun } from '../load-run.ts';
import { text, texts, words } from '../options.ts';
import { refuseUnknownTags } from '../unknown-tags.ts';

/** `reeve run PLAYBOOK`: returns the exit code. */
export async function run(file: string, options: Record<string, unknown>): Promise<number> {
  const loaded = await loadRun((opener) => loadDocument(file, { opener }), options);
  refuseUnknownTags(loaded.playbook, options);
  if (options.listHosts || options.listTasks || options.listTags) {
    const { printLists } = await import('../lists.ts');
    return printLists(loaded, options);
  }
  const approval = loaded.playbook.approval ? await approvalFor(loaded, options) : undefined;
  const { execute } = await import('../execute.ts');
  const exitCode = await execute({ file, ...loaded, options, approved: approval });
  if (approval !== undefined && options.check === true)
    console.error(`This plan is approved with --approve ${approval}`);
  return exitCode;
}

/** What a check prints for others to approve of; a run that needs an approval and has none is refused here. */
async function approvalFor(loaded: LoadedRun, options: Record<string, unknown>): Promise<string | undefined> {
  const { approvalOf, requireApproval } = await import('../approval.ts');
  const wanted = approvalOf(loaded, {
    limit: limitTerms(texts(options.limit)),
    tags: words(options.tags),
    skipTags: words(options.skipTags),
  });
  if (wanted !== undefined && options.check !== true) requireApproval(wanted, text(options.approve, '--approve'));
  return wanted;
}
