/** Timers in the cluster's own seconds. While the API is away nothing in the cluster can change, so timers wait. */
export class Clock {
  readonly scale: number;
  #timers = new Set<NodeJS.Timeout>();
  #waiting: (() => void)[] = [];
  #paused = false;
  #stopped = false;

  /** @param scale real seconds per cluster second: 1/300 makes a grace period of 30 s last 0.1 s */
  constructor(scale: number) {
    this.scale = scale;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Calls back after that many cluster seconds; returns what cancels it. */
  after(seconds: number, callback: () => void): () => void {
    let cancelled = false;
    const run = () => {
      if (!cancelled && !this.#stopped) callback();
    };
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (this.#paused) this.#waiting.push(run);
        else run();
      },
      seconds * 1000 * this.scale,
    );
    timer.unref();
    this.#timers.add(timer);
    return () => {
      cancelled = true;
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const run of this.#waiting.splice(0)) run();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
