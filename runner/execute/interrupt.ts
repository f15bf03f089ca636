/**
 * What Ctrl-C does: the first one lets running tasks finish and starts nothing more; the second one aborts what runs.
 */
export class Interrupt {
  readonly #hard = new AbortController();
  #count = 0;
  readonly #listeners: ((count: number) => void)[] = [];

  /** Counts one Ctrl-C (or SIGTERM). */
  press(): void {
    this.#count++;
    if (this.#count >= 2) this.#hard.abort(new Error('interrupted'));
    for (const listener of this.#listeners) listener(this.#count);
  }

  onPress(listener: (count: number) => void): void {
    this.#listeners.push(listener);
  }

  /** True from the first one on: start nothing more. */
  get requested(): boolean {
    return this.#count > 0;
  }

  /** Aborted by the second one. */
  get signal(): AbortSignal {
    return this.#hard.signal;
  }
}
