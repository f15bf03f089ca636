import { notStarted } from '../names.ts';
import type { BatchRecord, PlayRecord, RecordedStatus, RunRecord, TaskRecord } from '../record.ts';
import { isFailure } from '../record.ts';
import { firstLine } from '../said.ts';
import { shownDuration } from '../time.ts';
import { isCommand, listedCommand, outputOf } from '../what-ran.ts';
import { grouped, hostNames, hostsOf, sharedText, withoutHost } from './alike.ts';
import { clock, fence, plainText, table } from './markdown.ts';

/** Outputs of one phase that are shown; all of them are in the HTML report and in the journal. */
const MOST_OUTPUTS = 20;

interface Phase {
  title: string;
  at: string;
  endedAt?: string;
  hosts: string[];
  tasks: TaskRecord[];
  skippedBatches: number;
}

/** What was done, phase by phase: a play is one, or each of its batches. */
export function phasesSection(record: RunRecord): string[] {
  const phases = record.plays.flatMap(phasesOf);
  if (phases.length === 0) return [];
  const lines = phases.flatMap((phase, index) => phaseLines(phase, index + 1, index < phases.length - 1));
  return ['## Execution Log', '', ...lines];
}

function phasesOf(play: PlayRecord): Phase[] {
  if (play.hosts.length === 0) return [];
  // What a rollback did has a section of its own.
  const tasks = play.tasks.filter(({ task }) => task.section !== 'rollback');
  if (play.batches < 2 || play.batchRecords.length === 0) return [{ ...play, tasks, title: play.name }];
  return play.batchRecords.map((batch, index) => ({
    title: `${play.name}, batch ${batch.batch + 1} of ${batch.of}`,
    ...withEnd(batch),
    hosts: batch.hosts,
    tasks: tasks.filter((task) => task.batch === batch.batch),
    skippedBatches: index === play.batchRecords.length - 1 ? play.skippedBatches : 0,
    at: batch.at,
  }));
}

function withEnd({ endedAt }: BatchRecord): { endedAt?: string } {
  return endedAt === undefined ? {} : { endedAt };
}

function phaseLines(phase: Phase, number: number, more: boolean): string[] {
  const { title, hosts, endedAt, tasks, skippedBatches } = phase;
  const ran = tasks.filter(({ status }) => status !== 'skipped');
  const skipped = new Set(tasks.filter(({ status }) => status === 'skipped').map(({ task }) => task.id)).size;
  const notes = [
    ...(skipped > 0 ? [`${skipped} ${skipped === 1 ? 'task was' : 'tasks were'} not needed on some or all hosts`] : []),
    ...(skippedBatches > 0 ? [notStarted(skippedBatches)] : []),
  ];
  return [
    ...[`### Phase ${number}: ${plainText(title)}`, ''],
    `**Start Time**: ${clock(phase.at)}  `,
    ...[`**Hosts**: ${hostNames(hosts)}`, ''],
    ...commands(ran),
    ...steps(ran),
    ...outputs(ran),
    `**Status**: ${statusLine(tasks, endedAt)}  `,
    ...(notes.length > 0 ? [`**Notes**: ${notes.join('; ')}  `] : []),
    `**End Time**: ${endedAt ? clock(endedAt) : 'not reached'}`,
    '',
    ...(more ? ['---', ''] : []),
  ];
}

function commands(ran: readonly TaskRecord[]): string[] {
  const alike = grouped(ran.filter(isCommand), (one) => `${one.task.id} ${withoutHost(listedCommand(one), one.host)}`);
  if (alike.length === 0) return [];
  return [
    '**Commands Executed**:',
    ...fence(alike.map((group) => `${namesOf(group)}: ${sharedText(listedCommand(group[0]!), group)}`)),
    '',
  ];
}

function namesOf(group: readonly TaskRecord[]): string {
  const names = [...new Set(group.map(({ host, delegate }) => (delegate ? `${host} on ${delegate}` : host)))];
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
}

function steps(ran: readonly TaskRecord[]): string[] {
  if (ran.length === 0) return [];
  const alike = grouped(ran, (one) => `${one.task.id} ${one.status} ${withoutHost(saidBy(one), one.host)}`);
  const rows = alike.map((group) => {
    const [first] = group;
    const longest = Math.max(...group.map(({ ended }) => ended?.duration ?? 0));
    return [
      plainText(first!.task.name),
      hostsOf(group),
      statusWord(first!),
      shownDuration(longest),
      plainText(sharedText(saidBy(first!), group)),
    ];
  });
  return [...table(['Step', 'Hosts', 'Result', 'Took', 'Found'], rows), ''];
}

/** What a task said, else what it changed. */
function saidBy({ ended, status }: TaskRecord): string {
  // What a failure quotes stands below the issue.
  if (status === 'failed' || status === 'unreachable') return firstLine(ended?.message ?? '');
  if (ended?.message) return ended.message.split('\n').slice(0, 3).join('; ');
  const changes = (ended?.changes ?? []).map(({ summary }) => summary);
  return changes.length > 4 ? `${changes.slice(0, 4).join('; ')}; and ${changes.length - 4} more` : changes.join('; ');
}

export const ICONS: Record<RecordedStatus, string> = {
  ok: '✅',
  changed: '✅',
  skipped: '–',
  unknown: '❔',
  failed: '❌',
  unreachable: '❌',
  unfinished: '⚠️',
};

function statusWord({ status, ended, overcome }: TaskRecord): string {
  if (ended?.ignored) return '⚠️ failed, ignored';
  if (overcome) return `⚠️ ${status}, ${overcome === 'rescue' ? 'rescued' : 'done after the resume'}`;
  return `${ICONS[status]} ${status}`;
}

function outputs(ran: readonly TaskRecord[]): string[] {
  const blocks = grouped(ran, (one) => `${one.task.id} ${withoutHost(outputOf(one).join('\n'), one.host)}`).flatMap(
    (group) => {
      const lines = outputOf(group[0]!).map((line) => sharedText(line, group));
      return lines.length === 0
        ? []
        : [[`${namesOf(group)}: ${group[0]!.task.name}`, ...lines.map((line) => `  ${line}`)]];
    },
  );
  if (blocks.length === 0) return [];
  const left = blocks.length - MOST_OUTPUTS;
  const shown = blocks.slice(0, MOST_OUTPUTS).flat();
  return ['**Output**:', ...fence([...shown, ...(left > 0 ? [`… and ${left} more`] : [])]), ''];
}

function statusLine(tasks: readonly TaskRecord[], endedAt: string | undefined): string {
  const failed = tasks.filter(isFailure);
  if (failed.length > 0) return `❌ Failed: ${hostsOf(failed)}`;
  if (endedAt === undefined) return '⚠️ Not finished';
  const bad = tasks.filter((one) => one.ended?.ignored || one.overcome);
  if (bad.length > 0) return `⚠️ Warning: something failed and was ignored or made good (${hostsOf(bad)})`;
  return tasks.some(({ status }) => status === 'unknown') ? '✅ Success, as far as a check can tell' : '✅ Success';
}
