import type { Notice, RunEvent, TaskEnded, TaskStarted } from '../../events.ts';
import { isFailure } from '../failures.ts';
import { noticeLines } from '../notice-lines.ts';
import { Tail } from '../tail.ts';
import { type LineOptions, taskLinesBelowHost } from '../task-lines.ts';
import { elapsed, shownDuration } from '../time.ts';
import { type Counts, countsText } from './counts.ts';

/** Lines of a running command's output that are shown. */
const TAIL_LINES = 3;
/** Lines of progress that are shown of a running task. */
const PROGRESS_LINES = 3;

interface Current {
  task: TaskStarted['task'];
  delegate: string | undefined;
  since: number;
  progress: string[];
  tail: Tail;
}

/** What is known of one host within one batch, and how it is shown. Times are milliseconds since the epoch. */
export class HostView {
  readonly name: string;
  readonly #options: LineOptions;
  readonly #counts: Counts = {};
  /** What is kept: a group of lines for each task worth telling. */
  readonly #kept: string[][] = [];
  #current: Current | undefined;
  #section = 'tasks';
  #since: number | undefined;
  #until: number | undefined;
  failed = false;

  constructor(name: string, options: LineOptions) {
    this.name = name;
    this.#options = options;
  }

  get active(): boolean {
    return this.#current !== undefined;
  }

  /** Name of the task it is at. */
  get task(): string | undefined {
    return this.#current?.task.name;
  }

  handle(event: RunEvent): void {
    const at = Date.parse(event.at);
    switch (event.type) {
      case 'task-started':
        this.#since ??= at;
        this.#current = {
          task: event.task,
          delegate: event.delegate,
          since: at,
          progress: [],
          tail: new Tail(TAIL_LINES),
        };
        return;
      case 'task-progress':
        this.#progress(event.message);
        return;
      case 'task-retry':
        this.#progress(`try ${event.attempt} of ${event.of}: ${event.message.split('\n', 1)[0]}`);
        return;
      case 'item-ended':
        this.#progress(`${event.status} ${event.item}`);
        return;
      case 'task-output':
        this.#current?.tail.add(event.text);
        return;
      case 'task-ended':
        this.#ended(event, at);
        return;
      case 'notice':
        this.#kept.push(this.#notice(event));
        return;
      default:
    }
  }

  /** The batch is over. */
  end(at: number, failed: boolean): void {
    this.#until = at;
    this.failed = failed;
    this.#current = undefined;
  }

  #notice({ host: _, ...rest }: Notice): string[] {
    return noticeLines(rest, this.#options.paint);
  }

  #progress(line: string): void {
    const current = this.#current;
    if (current) current.progress = [...current.progress, line].slice(-PROGRESS_LINES);
  }

  #ended(event: TaskEnded, at: number): void {
    this.#since ??= at - event.duration;
    this.#current = undefined;
    const status = event.ignored ? 'ignored' : event.status;
    this.#counts[status] = (this.#counts[status] ?? 0) + 1;
    if (!isWorthTelling(event, this.#options.verbose)) return;
    const section = event.task.section === this.#section ? '' : `${event.task.section.replace('_', ' ')}: `;
    this.#section = event.task.section;
    const lines = taskLinesBelowHost(event, this.#options, section);
    // Failures are told in full at the end.
    this.#kept.push(isFailure(event) ? lines.slice(0, 1) : lines);
  }

  /** While the batch runs: the host, what it does, and in at most `room` more lines what is new. */
  live(now: number, room: number): string[] {
    const news = this.#news().slice(-room);
    const left = room - news.length;
    const past = left > 0 ? this.#kept.flat().slice(-left) : [];
    return [this.#head(now), ...past, ...(room > 0 ? news : [])];
  }

  #news(): string[] {
    const { paint } = this.#options;
    if (!this.#current) return [];
    const { progress, tail } = this.#current;
    return [...progress.map((line) => paint.dim(`… ${line}`)), ...tail.lines.map((line) => paint.dim(`│ ${line}`))];
  }

  /** One line, for a batch of many hosts: what the host does and since when. */
  brief(now: number, width: number, withTask: boolean): string {
    const current = this.#current;
    if (!current) return this.name;
    const { paint } = this.#options;
    const last = current.progress.at(-1) ?? current.tail.lines.at(-1);
    const doing = withTask ? `  ${this.#doing(current, now)}` : paint.dim(elapsed(now - current.since));
    return `${this.name.padEnd(width)}${doing}${last ? paint.dim(`  ${last}`) : ''}`;
  }

  /** When the batch is over: what there is to remember. */
  record(): string[] {
    return [this.#head(this.#until ?? 0), ...this.#kept.flat()];
  }

  #head(now: number): string {
    const { paint } = this.#options;
    const current = this.#current;
    if (current) return `${paint.bold(this.name)}  ${this.#doing(current, now)}`;
    const time = this.#until !== undefined && this.#since !== undefined ? this.#until - this.#since : undefined;
    const counts = countsText(this.#counts, paint);
    return `${paint.bold(this.name)}  ${counts}${time === undefined ? '' : paint.dim(`  (${shownDuration(time)})`)}`;
  }

  #doing({ task, delegate, since }: Current, now: number): string {
    const { paint } = this.#options;
    const where = delegate === undefined ? '' : paint.dim(` on ${delegate}`);
    return `${task.name}${where}${paint.dim(elapsed(now - since))}`;
  }
}

/** A task that did nothing is not kept, unless it has something to say. */
export function isWorthTelling(event: TaskEnded, verbose: boolean): boolean {
  if (verbose || event.changes.length > 0 || (event.warnings?.length ?? 0) > 0) return true;
  if (event.status === 'skipped') return false;
  return event.status !== 'ok' || (event.message ?? '') !== '';
}
