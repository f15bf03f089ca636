import type { RollbackRecord, RunRecord, TaskRecord } from '../record.ts';
import { isFailure } from '../record.ts';
import { firstLine } from '../said.ts';
import { commandOf } from '../what-ran.ts';
import { clock, fence, plainText } from './markdown.ts';

/** What was taken back, try by try; nothing when nobody asked for it. */
export function rollbackSection(record: RunRecord): string[] {
  if (record.rollbacks.length === 0) return [];
  return [
    ...['## Rollback Actions', ''],
    ...record.rollbacks.flatMap((rollback, index) => rollbackLines(record, rollback, record.rollbacks[index + 1])),
  ];
}

function rollbackLines(record: RunRecord, rollback: RollbackRecord, next: RollbackRecord | undefined): string[] {
  const until = rollback.endedAt ?? next?.at;
  const tasks = record.tasks.filter(
    ({ task, startedAt, status }) =>
      task.section === 'rollback' && status !== 'skipped' && startedAt >= rollback.at && (!until || startedAt <= until),
  );
  const steps = [...rollback.undos.map(undoLine), ...tasks.map(taskLine)];
  return [
    ...[`**Trigger**: ${plainText(triggerOf(record))}  `, `**Rollback Start**: ${clock(rollback.at)}`, ''],
    ...['**Steps Taken**:', '', ...(steps.length > 0 ? steps.map((step, n) => `${n + 1}. ${step}`) : ['None.']), ''],
    ...(tasks.length > 0
      ? ['**Commands**:', ...fence(tasks.map((task) => `${task.host}: ${commandOf(task)}`)), '']
      : []),
    ...[`**Rollback Status**: ${statusOf(rollback)}  `],
    ...[`**End Time**: ${rollback.endedAt ? clock(rollback.endedAt) : 'not reached'}`, ''],
  ];
}

/** What the run had come to when somebody decided to take it back. */
function triggerOf({ tasks, ended }: RunRecord): string {
  const failure = tasks.find((task) => isFailure(task) && task.task.section !== 'rollback');
  if (failure) return `${failure.task.name} failed on ${failure.host}: ${firstLine(failure.ended?.message ?? '')}`;
  return ended?.outcome === 'done'
    ? 'an operator asked for it; the run itself had gone well'
    : 'the run had not ended well';
}

function undoLine({ host, task, changes, ok, message }: RollbackRecord['undos'][number]): string {
  const what = changes.map(({ summary }) => summary).join('; ');
  const result = ok === undefined ? '⚠️ not ended' : ok ? '✅' : `❌ ${plainText(message ?? '')}`;
  return `${plainText(host)}: ${plainText(task.name)}${what ? ` (${plainText(what)})` : ''} ${result}`;
}

function taskLine({ host, task, status }: TaskRecord): string {
  return `${plainText(host)}: ${plainText(task.name)} (${status})`;
}

function statusOf({ ok, message }: RollbackRecord): string {
  if (ok === undefined) return '⚠️ Not ended';
  return ok ? '✅ Successful' : `❌ Failed${message ? `: ${plainText(message.split('\n', 1)[0]!)}` : ''}`;
}
