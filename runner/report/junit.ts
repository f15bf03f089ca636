import { stripVTControlCharacters } from 'node:util';
import type { RunHeader } from '../run-header.ts';
import { durationOf, type PlayRecord, type RunRecord, type TaskRecord } from './record.ts';
import { shownPlace } from './task-lines.ts';
import { outputOf } from './what-ran.ts';

interface Suite {
  name: string;
  at: string;
  seconds: number;
  cases: Case[];
}

interface Case {
  className: string;
  name: string;
  seconds: number;
  /** What became of it; undefined when it passed. */
  problem?: { element: 'failure' | 'error' | 'skipped'; type: string; message: string; text: string };
}

/**
 * The run as JUnit XML: a suite for each play with a case for each task and host, and one for the run itself. It holds to
 * what the schemas of Ant's reports and of Jenkins' have in common, also for runs that failed, were interrupted or have no
 * end.
 */
export function junit(header: RunHeader, record: RunRecord): string {
  const suites = [...record.plays.filter(({ tasks }) => tasks.length > 0).map(playSuite), runSuite(header, record)];
  const lines = suites.flatMap((suite, index) => suiteLines(suite, index, header));
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...lines, '</testsuites>', ''].join('\n');
}

function playSuite(play: PlayRecord): Suite {
  const end = play.endedAt ?? play.tasks.at(-1)?.endedAt ?? play.at;
  return {
    name: play.name,
    at: play.at,
    seconds: Math.max(0, Date.parse(end) - Date.parse(play.at)) / 1000,
    cases: play.tasks.map(taskCase),
  };
}

function taskCase(record: TaskRecord): Case {
  const { host, task, ended } = record;
  const seconds = (ended?.duration ?? 0) / 1000;
  const problem = problemOf(record);
  return { className: host, name: task.name, seconds, ...(problem === undefined ? {} : { problem }) };
}

function problemOf(record: TaskRecord): Case['problem'] | undefined {
  const { status, ended, overcome, task } = record;
  const message = ended?.message ?? '';
  const first = message.split('\n', 1)[0]!;
  const place = ended?.error?.place ?? task.place;
  const text = [message, ...outputOf(record), ...(place ? [`at ${shownPlace(place)}`] : [])].join('\n').trim();
  if (status === 'skipped') return { element: 'skipped', type: 'skipped', message: first, text: '' };
  if (status === 'unfinished' && overcome === undefined) {
    return { element: 'error', type: 'unfinished', message: 'it began and has no end', text };
  }
  // What was ignored or made good did not fail the run, so it must not fail the job that reads this.
  if (overcome !== undefined || ended?.ignored) {
    const how = ended?.ignored ? 'failed, ignored' : 'failed, made good';
    return { element: 'skipped', type: 'overcome', message: `${how}: ${first}`, text: '' };
  }
  if (status === 'failed') return { element: 'failure', type: ended?.error?.code ?? 'failed', message: first, text };
  return status === 'unreachable' ? { element: 'error', type: 'unreachable', message: first, text } : undefined;
}

/** A run can end badly without any task to blame: refused, interrupted, cut off. */
function runSuite(header: RunHeader, record: RunRecord): Suite {
  const { ended, started } = record;
  const seconds = durationOf(record) / 1000;
  const at = started?.at ?? header.startedAt;
  const done: Case = { className: 'reeve', name: 'the run ends well', seconds };
  if (ended?.outcome === 'done') return { name: 'run', at, seconds, cases: [done] };
  const isFailed = ended?.outcome === 'failed';
  const message = ended
    ? (ended.message ?? `it ended: ${ended.outcome}, exit code ${ended.exitCode}`)
    : 'the run has no end: it goes on, or was cut off';
  const problem: Case['problem'] = {
    element: isFailed ? 'failure' : 'error',
    type: ended?.outcome ?? 'unfinished',
    message: message.split('\n', 1)[0]!,
    text: [message, ...(ended?.hint ? [`hint: ${ended.hint}`] : [])].join('\n'),
  };
  return { name: 'run', at, seconds, cases: [{ ...done, problem }] };
}

function suiteLines({ name, at, seconds, cases }: Suite, id: number, header: RunHeader): string[] {
  const count = (element: string) => cases.filter(({ problem }) => problem?.element === element).length;
  const attributes = {
    id,
    package: header.playbook.name,
    name,
    // Without a zone, as the schemas want it; it is UTC.
    timestamp: at.slice(0, 19),
    hostname: header.operator.host || 'localhost',
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: seconds.toFixed(3),
  };
  return [
    `  <testsuite${shownAttributes(attributes)}>`,
    `    <properties><property name="run"${shownAttributes({ value: header.run })}/></properties>`,
    ...cases.flatMap(caseLines),
    '    <system-out></system-out>',
    '    <system-err></system-err>',
    '  </testsuite>',
  ];
}

function caseLines({ className, name, seconds, problem }: Case): string[] {
  const open = `    <testcase${shownAttributes({ name, classname: className, time: seconds.toFixed(3) })}`;
  if (!problem) return [`${open}/>`];
  const { element, type, message, text } = problem;
  const attributes = element === 'skipped' ? { message } : { message, type };
  return [
    `${open}>`,
    `      <${element}${shownAttributes(attributes)}>${escaped(text)}</${element}>`,
    '    </testcase>',
  ];
}

function shownAttributes(attributes: Record<string, string | number>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll(/\s+/g, ' ')}"`)
    .join('');
}

/** Text for XML 1.0, which has no place for control characters and lone surrogates, not even escaped. */
function escaped(text: string): string {
  return stripVTControlCharacters(text)
    .toWellFormed()
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
