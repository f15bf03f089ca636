import type { RunEvent } from '../events.ts';
import { type Painter, painter } from './paint.ts';
import { recapLines } from './recap.ts';
import type { Reporter } from './reporter.ts';
import { type LineOptions, taskLines } from './task-lines.ts';

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
  #check = false;
  #section = '';

  constructor(options: LineOptions) {
    this.#options = options;
    this.#paint = options.paint;
  }

  lines(event: RunEvent): string[] {
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
        return ['', paint.bold(`PLAY ${event.name}`) + paint.dim(` — ${hosts(event.hosts)}`)];
      case 'batch-started':
        return event.of > 1
          ? [paint.bold(`BATCH ${event.batch + 1} of ${event.of}`) + paint.dim(` — ${hosts(event.hosts)}`)]
          : [];
      case 'task-ended':
        return [...this.#heading(event.task.section), ...this.#task(event)];
      case 'item-ended':
        return this.#options.verbose ? [`                 ${event.status} item ${event.item}`] : [];
      case 'task-progress':
        return [paint.dim(`  …            ${event.host}: ${event.message}`)];
      case 'task-retry':
        return [paint.dim(`  retry ${event.attempt} of ${event.of - 1}  ${event.host}: ${firstLine(event.message)}`)];
      case 'handlers-pending':
        this.#pending.set(event.host, event.handlers);
        return [];
      case 'notice':
        return [event.level === 'info' ? `  ${event.message}` : paint.warn(`  ${event.level}: ${event.message}`)];
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

  #task(event: Extract<RunEvent, { type: 'task-ended' }>): string[] {
    // What was skipped is told in the recap's count; with --verbose also here.
    if (event.status === 'skipped' && !this.#options.verbose) return [];
    return taskLines(event, this.#options);
  }
}

const SHOWN_HOSTS = 8;

function hosts(names: readonly string[]): string {
  if (names.length <= SHOWN_HOSTS) return names.join(', ') || 'no hosts';
  return `${names.slice(0, SHOWN_HOSTS).join(', ')} and ${names.length - SHOWN_HOSTS} more`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
