/** Lets at most so many through at a time, each key for itself, in order. */
export class Turnstile {
  readonly #most: number;
  readonly #inside = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(most: number) {
    this.#most = most;
  }

  async pass<T>(key: string, work: () => Promise<T>): Promise<T> {
    const inside = this.#inside.get(key) ?? 0;
    if (inside >= this.#most) {
      // Who leaves hands the place on, so the count stays.
      await new Promise<void>((resolve) => {
        const line = this.#waiting.get(key) ?? [];
        this.#waiting.set(key, line);
        line.push(resolve);
      });
    } else {
      this.#inside.set(key, inside + 1);
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.get(key)?.shift();
      if (next) next();
      else this.#leave(key);
    }
  }

  #leave(key: string): void {
    const left = (this.#inside.get(key) ?? 1) - 1;
    if (left) this.#inside.set(key, left);
    else this.#inside.delete(key);
  }
}
