import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { EXIT, ReeveError } from '../errors.ts';
import type { EventSink, RunEvent } from '../events.ts';

/**
 * The append-only record of a run: one JSON line an event. `flush` resolves when everything handled so far is on disk; one
 * sync serves everybody who waits at that moment, so that fifty hosts pay for one.
 */
export class Journal implements EventSink {
  readonly #file: string;
  readonly #descriptor: number;
  #lines: string[] = [];
  #syncing: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #failure: ReeveError | undefined;
  /** Syncs so far, for the benchmark. */
  syncs = 0;

  /** @throws ReeveError `journal-failed` when the file cannot be opened for appending. */
  constructor(file: string) {
    this.#file = file;
    try {
      this.#descriptor = openSync(file, 'a', 0o600);
    } catch (error) {
      throw journalError(file, error);
    }
  }

  handle(event: RunEvent): void {
    this.#lines.push(JSON.stringify(event));
  }

  /** @throws ReeveError `journal-failed`: nothing may be changed that the journal does not announce. */
  flush(): Promise<void> {
    // Lines that came after the running sync began need another one, which all who come meanwhile share.
    if (!this.#syncing) return this.#start();
    this.#waiting ??= this.#syncing.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#waiting;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #start(): Promise<void> {
    this.#waiting = undefined;
    this.#syncing = this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #sync(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    try {
      writeAll(this.#descriptor, Buffer.from(text));
      await new Promise<void>((resolve, reject) =>
        fsync(this.#descriptor, (error) => (error ? reject(error) : resolve())),
      );
      this.syncs++;
    } catch (error) {
      this.#failure = journalError(this.#file, error);
      throw this.#failure;
    }
  }
}

/** A full disk can take a part of a write. */
function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function journalError(file: string, cause: unknown): ReeveError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ReeveError('journal-failed', `the journal ${file} cannot be written: ${why}`, {
    hint: 'nothing is changed without a record of it; free some space or choose another folder with --runs',
    exitCode: EXIT.unexpected,
    cause,
  });
}
