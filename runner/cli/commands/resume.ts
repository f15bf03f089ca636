import { EXIT, ReeveError } from '../../errors.ts';
import { Replay } from '../../execute/replay.ts';
import { limitTerms } from '../../inventory/limit.ts';
import { findRun } from '../../journal/folder.ts';
import { execute } from '../execute.ts';
import { duration, text } from '../options.ts';
import { type PastRun, returnToFolder, takeUp, withoutRegisters } from '../past-run.ts';
import { runsFolder } from '../record.ts';

/** `reeve resume RUN`: goes on at the first thing that the journal does not say is done. */
export async function resume(wanted: string, options: Record<string, unknown>): Promise<number> {
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted);
  const past = await takeUp(folder, options, 'what remains');
  try {
    return await goOn(past, options);
  } finally {
    past.unlock();
  }
}

async function goOn(past: PastRun, options: Record<string, unknown>): Promise<number> {
  const { folder, header, journal, loaded, changed, given, unlock } = past;
  if (header.options.check) throw refused('a check has changed nothing and has nothing to go on with');
  const last = journal.events.at(-1);
  if (last?.type === 'run-ended' && last.outcome === 'done')
    throw refused('this run has ended well; nothing is left to do');
  const rollback = journal.events.findLast(({ type }) => type === 'rollback-started' || type === 'rollback-ended');
  if (rollback) throw takenBack(folder.id, rollback.type === 'rollback-ended' && rollback.ok);
  const { diff, limit, ...rest } = header.options;
  const lockWait = text(options.lockWait, '--lock-wait');
  const approved = loaded.playbook.approval ? await approvedAnew(past, options) : undefined;
  return execute({
    file: header.playbook.file,
    ...loaded,
    options: returnToFolder(header, options),
    approved,
    resumed: {
      folder,
      settings: {
        ...rest,
        ...(limit === undefined ? {} : { limit }),
        diff: diff || options.diff === true,
        inputs: loaded.filled.inputs,
        extraVars: loaded.filled.extraVars,
        startedAt: new Date(header.startedAt),
        ...(lockWait === undefined ? {} : { lockWait: duration(lockWait, '--lock-wait') }),
      },
      replay: new Replay(journal.events, changed),
      last,
      changed,
      ...(given ? { given } : {}),
      unlock,
    },
  });
}

/**
 * What was approved may go on; anything else, such as a change that is accepted or another `-e`, needs its own approval.
 * @returns it, when it is another one.
 * @throws ReeveError `approval-missing` (exit code 6)
 */
async function approvedAnew(
  { header, journal, loaded }: PastRun,
  options: Record<string, unknown>,
): Promise<string | undefined> {
  const { approvalOf, requireApproval } = await import('../approval.ts');
  const { limit, tags, skipTags } = header.options;
  const limits = limitTerms(limit === undefined ? [] : [limit]);
  const { filled } = loaded;
  const extraVars = withoutRegisters(loaded.playbook, filled.extraVars);
  const wanted = approvalOf({ ...loaded, filled: { ...filled, extraVars } }, { limit: limits, tags, skipTags });
  const later = journal.events.flatMap((event) => (event.type === 'run-resumed' ? (event.approved ?? []) : []));
  if (wanted === undefined || wanted === (later.at(-1) ?? header.approved)) return undefined;
  requireApproval(wanted, text(options.approve, '--approve'));
  return wanted;
}

/** What was taken back is not there any more: to go on would leave it out. */
function takenBack(id: string, ended: boolean): ReeveError {
  return ended
    ? refused(
        'this run was taken back, and has nothing to go on from',
        'run the playbook again: that is a run of its own',
      )
    : refused(
        'this run is being taken back, and that has not come to its end',
        `\`reeve rollback ${id}\` goes on with it; then run the playbook again`,
      );
}

function refused(message: string, hint?: string): ReeveError {
  return new ReeveError('refused', message, { hint, exitCode: EXIT.refused });
}
