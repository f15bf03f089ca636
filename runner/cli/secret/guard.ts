import type { ChildProcess } from 'node:child_process';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Makes sure that something is cleaned up however this process ends, SIGKILL excepted. */
export class Guard {
  readonly #cleanUp: () => void;
  #editor: ChildProcess | undefined;

  /** @param cleanUp is synchronous and may be called more than once. */
  constructor(cleanUp: () => void) {
    this.#cleanUp = cleanUp;
  }

  /** Runs `work`, and cleans up after it. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    for (const signal of ENDING) process.on(signal, this.#end);
    process.on('exit', this.#cleanUp);
    try {
      return await work();
    } finally {
      this.#cleanUp();
      process.off('exit', this.#cleanUp);
      for (const signal of ENDING) process.off(signal, this.#end);
    }
  }

  /** While an editor runs Ctrl-C is the editor's, and what ends reeve ends the editor first. */
  async during(editor: ChildProcess, work: () => Promise<void>): Promise<void> {
    this.#editor = editor;
    try {
      await work();
    } finally {
      this.#editor = undefined;
    }
  }

  readonly #end = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && this.#editor) return;
    this.#editor?.kill('SIGTERM');
    this.#cleanUp();
    for (const each of ENDING) process.off(each, this.#end);
    // As if it had never been caught, so that whoever waits sees why it ended.
    process.kill(process.pid, signal);
  };
}
