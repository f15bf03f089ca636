import type { Change } from '../../module.ts';
import { controlPlanes } from '../control-plane.ts';
import { unifiedDiff } from '../diff.ts';
import { painter } from '../paint.ts';
import type { RecordedStatus, RunRecord, TaskRecord } from '../record.ts';
import { shownPlace } from '../task-lines.ts';
import { shownDuration } from '../time.ts';
import { commandOf, outputOf } from '../what-ran.ts';

/** In the order in which the page numbers them. */
export const STATUSES: readonly RecordedStatus[] = [
  'ok',
  'changed',
  'skipped',
  'unknown',
  'failed',
  'unreachable',
  'unfinished',
];

const MOST_OUTPUT_LINES = 500;
const MOST_DIFF_LINES = 1_000;
const MOST_ITEMS = 200;
const PLAIN = painter(false);

/** What one or many tasks have to show beyond their row. */
interface Detail {
  message?: string;
  hint?: string;
  how?: string;
  delegate?: string;
  warnings?: string[];
  command?: string;
  changes?: { summary: string; diff?: string }[];
  output?: string;
  progress?: string[];
  retries?: string[];
  items?: string[];
}

/** host, task, start and duration (milliseconds since the start of the run), status, detail (-1: none) */
type Row = [host: number, task: number, start: number, duration: number, status: number, detail: number];

export interface PageData {
  /** Milliseconds since 1970. */
  start: number;
  /** Milliseconds that the run took. */
  length: number;
  hosts: string[];
  tasks: { name: string; module: string; play: string; place: string }[];
  rows: Row[];
  details: Detail[];
  /** When the control plane did not answer: start and duration, in milliseconds since the start of the run. */
  away: [start: number, duration: number][];
}

/** The tasks of a run for the page; what is the same for many of them is there once. */
export function pageData(record: RunRecord): PageData {
  const start = Date.parse(record.started?.at ?? record.tasks[0]?.startedAt ?? '1970-01-01T00:00:00Z');
  const end = Math.max(start, Date.parse(record.lastAt || '1970-01-01T00:00:00Z'));
  const hosts = new Numbered<string>();
  for (const play of record.plays) for (const host of play.hosts) hosts.add(host, host);
  const tasks = new Numbered<PageData['tasks'][number]>();
  const details = new Numbered<Detail>();
  const rows = record.tasks.map((task): Row => {
    const { name, module, place, id } = task.task;
    const play = record.plays.find((one) => one.play === task.play)?.name ?? '';
    const shown = { name, module, play, place: place ? shownPlace(place) : '' };
    const detail = detailOf(task);
    const key = JSON.stringify(detail);
    const startedAt = Math.max(0, Date.parse(task.startedAt) - start);
    return [
      hosts.add(task.host, task.host),
      tasks.add(`${id} ${name}`, shown),
      startedAt,
      task.ended ? Math.round(task.ended.duration) : Math.max(0, end - start - startedAt),
      STATUSES.indexOf(task.status),
      key === '{}' ? -1 : details.add(key, detail),
    ];
  });
  const away = controlPlanes(record).flatMap((plane) =>
    plane.away.map(({ from, duration }): [number, number] => [Math.max(0, from - start), duration]),
  );
  return { start, length: end - start, hosts: hosts.all, tasks: tasks.all, rows, details: details.all, away };
}

/** Gives things numbers in the order in which they first come. */
class Numbered<T> {
  readonly all: T[] = [];
  readonly #numbers = new Map<string, number>();

  add(key: string, value: T): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.all.length;
    this.#numbers.set(key, number);
    this.all.push(value);
    return number;
  }
}

function detailOf(task: TaskRecord): Detail {
  const { ended, delegate, progress, retries, items, overcome, status } = task;
  const command = status === 'skipped' ? '' : commandOf(task);
  const output = outputOf(task, MOST_OUTPUT_LINES).join('\n');
  const how = ended?.ignored
    ? 'ignored'
    : overcome
      ? overcome === 'rescue'
        ? 'rescued'
        : 'done after the resume'
      : '';
  const lines: Detail = {
    message: ended?.message ?? '',
    hint: ended?.error?.hint ?? '',
    how,
    delegate: delegate ?? '',
    warnings: ended?.warnings ?? [],
    command: command === task.task.module ? '' : command,
    changes: (ended?.changes ?? []).map(changeOf),
    output,
    progress: progress.map(({ message }) => message).slice(0, MOST_ITEMS),
    retries: retries.map(
      ({ attempt, of, message, delay }) => `try ${attempt} of ${of}: ${message} (next in ${shownDuration(delay)})`,
    ),
    items: items
      .map(({ item, status: is, message }) => `${item}: ${is}${message ? ` — ${message}` : ''}`)
      .slice(0, MOST_ITEMS),
  };
  return Object.fromEntries(Object.entries(lines).filter(([, value]) => value.length > 0)) as Detail;
}

function changeOf(change: Change): { summary: string; diff?: string } {
  const lines = unifiedDiff(change, PLAIN);
  if (lines.length === 0) return { summary: change.summary };
  const left = lines.length - MOST_DIFF_LINES;
  const shown = left > 0 ? [...lines.slice(0, MOST_DIFF_LINES), `… ${left} more lines`] : lines;
  return { summary: change.summary, diff: shown.join('\n') };
}
