import type { Shell } from './types.ts';

/** Shells of one host and one user. */
const MOST_SHELLS = 4;

/**
 * Hands out shells to one user at a time each, opening at most four; who comes later waits in order. A second kind of
 * shell, `control`, is outside that number: it ends and follows what the others run.
 */
export class ShellPool {
  readonly #open: (control: (() => Promise<Shell>) | undefined) => Promise<Shell>;
  #idle: Shell[] = [];
  #busy = 0;
  #waiting: (() => void)[] = [];
  #control: Promise<Shell> | undefined;
  readonly #all = new Set<Shell>();

  constructor(open: (control: (() => Promise<Shell>) | undefined) => Promise<Shell>) {
    this.#open = open;
  }

  /** Calls `use` with a free shell. */
  async with<T>(signal: AbortSignal | undefined, use: (shell: Shell) => Promise<T>): Promise<T> {
    await this.#turn(signal);
    let shell: Shell | undefined;
    try {
      shell = this.#takeIdle() ?? (await this.#unlessAborted(this.#openOne(), signal));
      return await use(shell);
    } finally {
      if (shell?.alive) this.#idle.push(shell);
      else if (shell) this.#all.delete(shell);
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  /** Closes the shells; those at work are ended by their streams. */
  async close(): Promise<void> {
    this.#idle = [];
    const control = this.#control;
    this.#control = undefined;
    const shells = [...this.#all];
    this.#all.clear();
    await Promise.all(shells.map((shell) => shell.close()));
    await control?.then((shell) => shell.close()).catch(() => {});
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#busy >= MOST_SHELLS) {
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          this.#waiting = this.#waiting.filter((one) => one !== go);
          reject(signal?.reason);
        };
        const go = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        signal?.addEventListener('abort', abort, { once: true });
        this.#waiting.push(go);
      });
    }
    this.#busy++;
  }

  /** An abort does not wait for a connection that is on its way; the shell it brings serves the next request. */
  async #unlessAborted(opening: Promise<Shell>, signal: AbortSignal | undefined): Promise<Shell> {
    if (!signal) return opening;
    let stop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([opening, aborted]);
    } catch (error) {
      if (signal.aborted) opening.then((shell) => this.#idle.push(shell)).catch(() => {});
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #takeIdle(): Shell | undefined {
    for (;;) {
      const shell = this.#idle.pop();
      if (!shell || shell.alive) return shell;
      this.#all.delete(shell);
    }
  }

  async #openOne(): Promise<Shell> {
    const shell = await this.#open(() => this.#controlShell());
    this.#all.add(shell);
    return shell;
  }

  async #controlShell(): Promise<Shell> {
    const present = await this.#control?.catch(() => undefined);
    if (present?.alive) return present;
    this.#control = this.#open(undefined);
    return this.#control;
  }
}
