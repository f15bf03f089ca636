import type { ReeveError } from '../errors.ts';
import type { EventSink, RunEvent } from '../events.ts';
import { DISK, type Disk } from './disk.ts';
import { journalError } from './journal-error.ts';

/**
 * milliseconds until an event that nobody waits for is on disk. Written at once it outlives reeve anyway; a sync for each
 * turn of the event loop was 126 of them in a run on ten hosts that changed nothing, where a dozen do.
 */
const SYNC_WITHIN = 100;

/**
 * The append-only record of a run: one JSON line an event. `flush` resolves when everything handled so far is on disk; one
 * sync serves everybody who waits at that moment, so that fifty hosts pay for one.
 */
export class Journal implements EventSink {
  readonly records = true;
  readonly #file: string;
  readonly #descriptor: number;
  readonly #disk: Disk;
  readonly #before: Promise<void>;
  #lines: string[] = [];
  #syncing: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #failure: ReeveError | undefined;
  /** Something beside the events could not be kept: they are written, and nothing more may be changed. */
  #incomplete: ReeveError | undefined;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  /** Something was written that no sync has begun for. */
  #unsynced = false;
  /** An effect has ended: that it need not be done again is worth a sync of its own. */
  #urgent = false;
  /** Syncs so far, for the benchmark. */
  syncs = 0;

  /**
   * @param before what must be on disk before anything that this journal says is: the run's folder.
   * @throws ReeveError `journal-failed` when the file cannot be opened for appending.
   */
  constructor(file: string, disk: Disk = DISK, before: (() => Promise<void>) | undefined = undefined) {
    this.#file = file;
    this.#disk = disk;
    try {
      this.#descriptor = disk.open(file);
    } catch (error) {
      throw journalError(file, error);
    }
    this.#before = before?.() ?? Promise.resolve();
    // Whoever flushes is told; until then nobody listens.
    this.#before.catch(() => {});
  }

  handle(event: RunEvent): void {
    this.#lines.push(JSON.stringify(event));
    this.#urgent ||= event.type === 'effect-ended';
    // Nobody waits for it, but it must not stay in memory either.
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      if (this.#urgent) this.#flushUnwatched();
      else this.#writeUnwatched();
    });
  }

  #writeUnwatched(): void {
    try {
      this.#writeLines();
    } catch {
      return;
    }
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.#flushUnwatched();
    }, SYNC_WITHIN).unref();
  }

  #flushUnwatched(): void {
    this.flush().catch(() => {
      // Kept in #failure: the next one who waits is told.
    });
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

  /** Keeps something beside the events, such as a long output; undefined when that fails: then nothing more is changed. */
  keep<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#incomplete ??= journalError(this.#file, error);
      return undefined;
    }
  }

  async close(): Promise<void> {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    try {
      await this.flush();
    } finally {
      this.#disk.close(this.#descriptor);
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
    this.#writeLines();
    if (this.#unsynced) await this.#syncWritten();
    if (this.#incomplete) throw this.#incomplete;
  }

  async #syncWritten(): Promise<void> {
    this.#unsynced = false;
    this.#urgent = false;
    try {
      await Promise.all([this.#disk.sync(this.#descriptor), this.#before]);
      this.syncs++;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** After one failure nothing more is written: a gap in the middle would be worse than an early end. */
  #writeLines(): void {
    if (this.#failure) throw this.#failure;
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#unsynced = true;
    try {
      this.#write(Buffer.from(text));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): ReeveError {
    this.#failure = journalError(this.#file, error);
    return this.#failure;
  }

  /** A full disk can take a part of a write. */
  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += this.#disk.write(this.#descriptor, bytes, at);
  }
}
