import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * A FIFO that scripts wait at, `wait`, until the test opens it. Who waits costs nothing: scripts that look again and again
 * for a file start a `sleep` each time, and two dozen of them keep two processors busy.
 */
export class Gate implements Disposable {
  readonly path: string;
  #end: number | undefined;

  constructor(path: string) {
    this.path = path;
    execFileSync('mkfifo', [path]);
  }

  /** What a script does to wait. */
  get wait(): string {
    return `: <'${this.path}'`;
  }

  /** Lets pass who waits, and everybody who comes later. */
  open(): void {
    // For both directions, since opening it for one would wait for the other; kept, so that who comes later need not wait.
    this.#end ??= openSync(this.path, 'r+');
  }

  [Symbol.dispose](): void {
    if (this.#end !== undefined) closeSync(this.#end);
  }
}
