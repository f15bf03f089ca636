import { appendFileSync } from 'node:fs';
import type { EventSink, RunEvent } from '../events.ts';
import { logLines } from '../report/run-log.ts';

/** milliseconds after which lines are in the file at the latest, for whoever follows it. */
const DELAY = 200;

/**
 * The log file of a run, for people and log collectors. Unlike the journal nothing depends on it: when it cannot be
 * written the run goes on, and `failure` says why.
 */
export class LogFile implements EventSink {
  /** A run that goes on must not tell the log twice where it was. */
  readonly records = true;
  failure: Error | undefined;
  readonly #file: string;
  readonly #verbose: boolean;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string, verbose: boolean) {
    this.#file = file;
    this.#verbose = verbose;
  }

  handle(event: RunEvent): void {
    this.#lines.push(...logLines(event, this.#verbose));
    this.#timer ??= setTimeout(() => this.#write(), DELAY).unref();
  }

  async close(): Promise<void> {
    this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0 || this.failure) return;
    try {
      appendFileSync(this.#file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    } catch (error) {
      this.failure = error as Error;
    }
  }
}
