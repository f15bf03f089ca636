import type { ReeveError } from '../errors.ts';

/**
 * What ends a run early. Ctrl-C: the first one lets running tasks finish and starts nothing more; the second one aborts
 * what runs. A reason of reeve's own (its lock is lost, its journal cannot be written) is stricter than the first one: no
 * effect begins after it, not even in a task that runs already.
 */
export class Interrupt {
  readonly #soft = new AbortController();
  readonly #hard = new AbortController();
  #count = 0;
  #halted: ReeveError | undefined;
  readonly #listeners: ((count: number) => void)[] = [];

  /** Counts one Ctrl-C (or SIGTERM). */
  press(): void {
    this.#count++;
    this.#soft.abort(new Error('interrupted'));
    if (this.#count >= 2) this.#hard.abort(new Error('interrupted'));
    for (const listener of this.#listeners) listener(this.#count);
  }

  onPress(listener: (count: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Nothing may be changed any more. The first reason stays. */
  halt(reason: ReeveError): void {
    this.#halted ??= reason;
    this.#soft.abort(reason);
  }

  get halted(): ReeveError | undefined {
    return this.#halted;
  }

  /** True once a person (or a signal) wants the end. */
  get pressed(): boolean {
    return this.#count > 0;
  }

  /** Start nothing more. */
  get requested(): boolean {
    return this.pressed || this.#halted !== undefined;
  }

  /** Aborted as soon as nothing more is to be started. */
  get stopping(): AbortSignal {
    return this.#soft.signal;
  }

  /** Aborted by the second one. */
  get signal(): AbortSignal {
    return this.#hard.signal;
  }
}
