import { isFailure, type RunRecord, type TaskRecord } from '../record.ts';
import { lastWords } from '../said.ts';
import { outputOf } from '../what-ran.ts';
import { grouped, hostsOf, withoutHost } from './alike.ts';
import { clock, fence, plainText } from './markdown.ts';

const MOST_SYMPTOMS = 5;
const MOST_QUOTED = 20;

interface Issue {
  at: string;
  title: string;
  severity: 'Low' | 'Medium' | 'High' | 'Critical';
  symptoms: string[];
  output: string[];
  cause?: string;
  resolution: string;
  hint?: string;
}

/** What went wrong, also when it was made good. */
export function issuesSection(record: RunRecord): string[] {
  const issues = [
    ...taskIssues(record),
    ...retryIssues(record),
    ...noticeIssues(record),
    ...cutOffIssues(record),
    ...endIssue(record),
  ];
  if (issues.length === 0) return [];
  issues.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return ['## Issues Encountered', '', ...issues.flatMap(issueLines)];
}

function issueLines(issue: Issue, index: number): string[] {
  const { at, title, severity, symptoms, output, cause, resolution, hint } = issue;
  return [
    ...[`### Issue ${index + 1}: ${plainText(title)}`, '', `**Severity**: ${severity}  `],
    ...[`**Time Encountered**: ${clock(at)}`, '', '**Symptoms**:', ''],
    ...symptoms.map((symptom) => `- ${plainText(symptom)}`),
    ...(output.length > 0 ? ['', ...fence(output)] : []),
    '',
    ...(cause === undefined ? [] : [`**Root Cause**: ${plainText(cause)}`, '']),
    ...[`**Resolution**: ${plainText(resolution)}`, ''],
    ...(hint === undefined ? [] : [`**Hint**: ${plainText(hint)}`, '']),
  ];
}

function taskIssues(record: RunRecord): Issue[] {
  const bad = record.tasks.filter(
    ({ status, ended }) => (status === 'failed' || status === 'unreachable') && ended !== undefined,
  );
  const alike = grouped(
    bad,
    (one) => `${one.task.id} ${one.overcome} ${withoutHost(one.ended?.message ?? '', one.host)}`,
  );
  return alike.map((group) => taskIssue(record, group));
}

function taskIssue(record: RunRecord, group: readonly TaskRecord[]): Issue {
  const first = group[0]!;
  const { ended, task, status } = first;
  const error = ended?.error;
  const place = error?.place ?? task.place;
  const lines = (ended?.message ?? 'no message').split('\n').filter((line) => line.trim() !== '');
  // A long one quotes the journal of a unit below its first line.
  const quoted = lines.length > MOST_SYMPTOMS ? lines.slice(1) : [];
  return {
    at: first.endedAt!,
    title: `${task.name} ${status === 'unreachable' ? 'could not reach' : 'failed on'} ${hostsOf(group)}`,
    severity: isFailure(first) ? 'High' : 'Low',
    symptoms: [
      ...lines.slice(0, lines.length - quoted.length),
      ...(place ? [`Task at ${place.file}:${place.line}`] : []),
    ],
    output: [...quoted.slice(-MOST_QUOTED), ...(quoted.length > 0 ? [] : outputOf(first))],
    ...causeOf(first, lines),
    resolution: resolutionOf(record, group),
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
  };
}

/** Known only as far as the code of the error, and the log that the message quotes, tell it. */
function causeOf({ ended, status }: TaskRecord, lines: readonly string[]): { cause?: string } {
  const causes: Record<string, string> = {
    'task-timeout': 'It took longer than its time limit.',
    'drain-deadline': 'Pods could not be evicted in time; what held them is named above.',
    'drain-refused': 'Pods on the node forbid the drain; nothing was evicted.',
    'recovery-limit': 'It was away for longer than the recovery limit.',
    'retries-exhausted': 'What was waited for did not come true in all tries.',
    'failed-when': 'The playbook says that this result is a failure.',
    'cluster-unreachable': 'The Kubernetes API did not answer.',
    interrupted: 'A person interrupted the run.',
  };
  const words = lastWords(lines);
  const known = [ended?.error && causes[ended.error.code], words && `Its own log says: ${words}`];
  const cause = known.filter((part) => part).join(' ');
  if (cause) return { cause };
  return status === 'unreachable' ? { cause: 'The connection to the host could not be made, or was lost.' } : {};
}

function resolutionOf({ ended: runEnded, resumedAt }: RunRecord, group: readonly TaskRecord[]): string {
  const [first] = group;
  if (first!.ended?.ignored) return 'Ignored, as the playbook says; the run went on.';
  if (first!.overcome === 'rescue') return 'The rescue of its block made it good; the run went on.';
  if (first!.overcome === 'resume') return `Done again when the run was resumed at ${clock(resumedAt.at(-1) ?? '')}.`;
  return runEnded ? 'None in this run: the hosts took no further part in it.' : 'None so far.';
}

function retryIssues({ tasks }: RunRecord): Issue[] {
  const retried = tasks.filter(
    ({ retries, status }) => retries.length > 0 && (status === 'ok' || status === 'changed'),
  );
  return grouped(retried, ({ task }) => task.id).map((group) => {
    const first = group[0]!;
    const most = Math.max(...group.map(({ retries }) => retries.length));
    return {
      at: first.retries[0]!.at,
      title: `${first.task.name} needed several tries on ${hostsOf(group)}`,
      severity: 'Low',
      symptoms: [...new Set(first.retries.map(({ message }) => message.split('\n', 1)[0]!))],
      output: [],
      resolution: `It came good after ${most === 1 ? 'one more try' : `at most ${most} more tries`}.`,
    };
  });
}

function noticeIssues({ notices, tasks }: RunRecord): Issue[] {
  const told = notices
    .filter(({ level }) => level !== 'info')
    .map(
      ({ at, message, level, host, hint }): Issue => ({
        at,
        title: `${host ? `${host}: ` : ''}${message.split('\n', 1)[0]!}`,
        severity: level === 'error' ? 'High' : 'Low',
        symptoms: message.split('\n'),
        output: [],
        resolution: 'The run went on.',
        ...(hint === undefined ? {} : { hint: hint }),
      }),
    );
  const warned = tasks.flatMap((task) => (task.ended?.warnings ?? []).map((text) => ({ task, text })));
  const warnings = grouped(warned, ({ text, task }) => `${task.task.id} ${withoutHost(text, task.host)}`).map(
    (group): Issue => ({
      at: group[0]!.task.endedAt!,
      title: `Warning of ${group[0]!.task.task.name} (${hostsOf(group.map(({ task }) => task))})`,
      severity: 'Low',
      symptoms: group[0]!.text.split('\n'),
      output: [],
      resolution: 'The run went on.',
    }),
  );
  return [...told, ...warnings];
}

/** Deaths of the run's own process. */
function cutOffIssues({ cutOffs }: RunRecord): Issue[] {
  return cutOffs.map(({ at, resumedAt, underWay }) => ({
    at,
    title: 'The run was cut off',
    severity: underWay.some(({ effects }) => effects.some(({ ok }) => ok === undefined)) ? 'High' : 'Medium',
    symptoms: [
      'Its process was gone without an end in its journal.',
      ...underWay.map(
        ({ host, task, effects }) =>
          `${host}: ${task.name} was under way${effects.length > 0 ? ', and had begun to write' : ''}`,
      ),
    ],
    output: [],
    resolution: `Resumed at ${clock(resumedAt)}; what was under way was planned again.`,
  }));
}

/** An end that no task accounts for. */
function endIssue({ ended, tasks }: RunRecord): Issue[] {
  if (!ended?.message || ended.outcome === 'done' || tasks.some(({ ended: one }) => one?.message === ended.message))
    return [];
  return [
    {
      at: ended.at,
      title: `The run ended: ${ended.outcome}`,
      severity: ended.outcome === 'error' ? 'Critical' : 'Medium',
      symptoms: ended.message.split('\n'),
      output: [],
      resolution: 'None in this run.',
      ...(ended.hint === undefined ? {} : { hint: ended.hint }),
    },
  ];
}
