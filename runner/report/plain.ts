import type { RunEvent } from '../events.ts';
import { named, notStarted } from './names.ts';
import { noticeLines } from './notice-lines.ts';
import { type Painter, painter } from './paint.ts';
import { recapLines } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { type LineOptions, taskLines, WIDTH } from './task-lines.ts';
import { visible, visibleEvent } from './visible.ts';

export interface PlainOptions {
  verbose: boolean;
  diff: boolean;
  color: boolean;
  write(text: string): void;
}

/** Plain lines for logs and CI: what happened, in the order it happened; no escape codes unless asked for. */
export function plainReporter({ verbose, diff, color, write }: PlainOptions): Reporter {
  const report = new PlainReport({ verbose, diff, paint: painter(color) });
  return {
    handle(event) {
      const lines = report.lines(event);
      if (lines.length > 0) write(`${lines.join('\n')}\n`);
    },
    apart: (work) => work(),
  };
}

/** Turns events into lines; it remembers only what the recap needs. */
export class PlainReport {
  readonly #options: LineOptions;
  readonly #paint: Painter;
  readonly #pending = new Map<string, readonly string[]>();
  /** Unfinished lines of running commands by host and task, then by stream. */
  readonly #open = new Map<string, Map<string, string>>();
  #check = false;
  #section = '';

  constructor(options: LineOptions) {
    this.#options = options;
    this.#paint = options.paint;
  }

  lines(told: RunEvent): string[] {
    const event = visibleEvent(told);
    const paint = this.#paint;
    switch (event.type) {
      case 'run-started':
        this.#check = event.check;
        return [
          paint.bold(`${event.name}${event.check ? ' (check: nothing is written)' : ''}`),
          paint.dim(`run ${event.run}`),
        ];
      case 'play-started':
        this.#section = '';
        if (event.hosts.length === 0 && !this.#options.verbose) return [];
        return ['', paint.bold(`PLAY ${event.name}`) + paint.dim(` — ${hosts(event.hosts)}`)];
      case 'batch-started':
        return event.of > 1
          ? [paint.bold(`BATCH ${event.batch + 1} of ${event.of}`) + paint.dim(` — ${hosts(event.hosts)}`)]
          : [];
      case 'task-ended':
        return [...this.#heading(event.task.section), ...this.#task(event)];
      case 'item-ended':
        return this.#options.verbose
          ? [`  ${'item'.padEnd(WIDTH)}  ${event.host}: ${event.item} — ${event.status}${itemMessage(event.message)}`]
          : [];
      case 'task-progress':
        return [paint.dim(`  ${'…'.padEnd(WIDTH)}  ${event.host}: ${event.message}`)];
      case 'task-output':
        return this.#options.verbose ? this.#output(event) : [];
      case 'task-retry':
        return [
          paint.dim(
            `  ${'retry'.padEnd(WIDTH)}  ${event.host}: try ${event.attempt} of ${event.of} — ${firstLine(event.message)}`,
          ),
        ];
      case 'rollback-started':
        return ['', paint.bold(`ROLLBACK of ${event.steps} change${event.steps === 1 ? '' : 's'}`)];
      case 'undo-ended': {
        const word = event.ok ? paint.status('changed', 'undone'.padEnd(11)) : paint.bad('not undone '.padEnd(11));
        return [`  ${word}  ${event.host}: ${event.task.name}${event.message ? ` — ${firstLine(event.message)}` : ''}`];
      }
      case 'rollback-ended':
        return [
          '',
          event.ok ? 'Rolled back.' : paint.bad(`The rollback stopped: ${event.message ?? ''}`),
          ...(event.hint === undefined ? [] : [`hint: ${event.hint}`]),
        ];
      case 'handlers-pending':
        this.#pending.set(event.host, event.handlers);
        return [];
      case 'notice':
        return noticeLines(event, paint).map((line) => `  ${line}`);
      case 'play-ended':
        return event.skippedBatches > 0 ? [paint.warn(`  ${notStarted(event.skippedBatches)}`)] : [];
      case 'run-ended':
        return recapLines(event, this.#check, this.#pending, paint);
      default:
        return [];
    }
  }

  #heading(section: string): string[] {
    if (section === this.#section) return [];
    const before = this.#section;
    this.#section = section;
    const plain = section === 'tasks' && before === '';
    return plain ? [] : [this.#paint.dim(`  ${section.replace('_', ' ')}:`)];
  }

  /** Whole lines of a running command; what is left of the last one comes when the task ends. */
  #output({ host, task, stream, text }: Extract<RunEvent, { type: 'task-output' }>): string[] {
    const key = `${host} ${task}`;
    const streams = this.#open.get(key) ?? new Map<string, string>();
    this.#open.set(key, streams);
    const lines = ((streams.get(stream) ?? '') + text).split('\n');
    streams.set(stream, lines.pop()!);
    return lines.map((line) => this.#outputLine(host, line));
  }

  #outputLine(host: string, line: string): string {
    return this.#paint.dim(`  ${'│'.padEnd(WIDTH)}  ${host}: `) + visible(line);
  }

  #task(event: Extract<RunEvent, { type: 'task-ended' }>): string[] {
    // What was skipped is told in the recap's count; with --verbose also here.
    if (event.status === 'skipped' && !this.#options.verbose) return [];
    const key = `${event.host} ${event.task.id}`;
    const streams = this.#open.get(key);
    this.#open.delete(key);
    const rest = [...(streams?.values() ?? [])].filter((line) => line !== '');
    return [
      ...rest.map((line) => this.#outputLine(event.host, line)),
      ...taskLines(event, { ...this.#options, outputShown: streams !== undefined }),
    ];
  }
}

function hosts(names: readonly string[]): string {
  return named(names, 8) || 'no hosts';
}

function itemMessage(message: string | undefined): string {
  return message ? `: ${firstLine(message)}` : '';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
