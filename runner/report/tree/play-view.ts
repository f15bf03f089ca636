import type { PlayStarted, RunEvent } from '../../events.ts';
import { noticeLines } from '../notice-lines.ts';
import type { LineOptions } from '../task-lines.ts';
import { shownDuration } from '../time.ts';
import { BatchView } from './batch-view.ts';

/** One play with its batches, as far as it has come. */
export class PlayView {
  readonly #options: LineOptions;
  readonly #since: number;
  readonly #notices: string[] = [];
  readonly batches: BatchView[] = [];
  readonly name: string;
  /** Batches there will be, unless failures stop the play. */
  readonly total: number;
  #until: number | undefined;
  #skipped = 0;
  failed = false;

  constructor(event: PlayStarted & { at: string }, options: LineOptions) {
    this.#options = options;
    this.#since = Date.parse(event.at);
    this.name = event.name;
    this.total = event.batches;
  }

  handle(event: RunEvent): void {
    const at = Date.parse(event.at);
    if (event.type === 'batch-started') this.batches.push(new BatchView(event, this.#options));
    else if (event.type === 'batch-ended') this.batches.at(-1)?.end(at, event.failed);
    else if (event.type === 'play-ended') {
      this.#until = at;
      this.#skipped = event.skippedBatches;
      this.failed = event.failed.length > 0;
    } else if ('host' in event && event.host !== undefined && this.batches.length > 0) {
      this.batches.at(-1)!.handle(event.host, event);
    } else if (event.type === 'notice') {
      this.#notices.push(...noticeLines(event, this.#options.paint));
    }
  }

  live(): string[] {
    return [this.#title()];
  }

  record(): string[] {
    const { paint } = this.#options;
    const skipped = this.#skipped > 0 ? [paint.warn(`${this.#skipped} of ${this.total} batches were not started`)] : [];
    const empty = this.total === 0 && this.#notices.length === 0 ? [paint.dim('no hosts')] : [];
    return [this.#title(), ...empty, ...skipped, ...this.#notices];
  }

  /** What must be seen while the play runs, wherever the tree has scrolled to. */
  footer(): string[] {
    return this.#notices.slice(-3);
  }

  #title(): string {
    const { paint } = this.#options;
    const time = this.#until === undefined ? '' : paint.dim(`  (${shownDuration(this.#until - this.#since)})`);
    return `${paint.bold(this.name)}${time}`;
  }
}
