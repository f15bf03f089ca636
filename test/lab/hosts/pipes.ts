import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { findProgram } from './shells.ts';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const batch = 32;
const mkfifo = findProgram('mkfifo') ?? 'mkfifo';

/** A pipe between this process and one to be started: our end as a stream, the other's as a descriptor to pass on. */
export interface Pipe {
  own: Socket;
  /** Close it once the child has been started. */
  theirs: number;
}

/**
 * Makes real pipes, as sshd gives to commands. Node's own `pipe` is a socket, and there `>/dev/stderr` fails. Node cannot
 * make pipes, so these are named ones whose names are removed at once; each end is a description of its own, which keeps
 * our non-blocking mode away from the child.
 */
export class PipeMaker {
  readonly #folder: string;
  #count = 0;
  #ready: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** A pipe we write to. */
  toChild(): Pipe {
    return this.#named((path) => {
      // A FIFO opens for one direction only once the other is open: hold both until the two ends are.
      const holder = openSync(path, O_RDWR | O_NONBLOCK);
      const theirs = openSync(path, O_RDONLY);
      const own = openSync(path, O_WRONLY | O_NONBLOCK);
      closeSync(holder);
      return { own: new Socket({ fd: own, readable: false, writable: true }), theirs };
    });
  }

  /** A pipe we read from. */
  fromChild(): Pipe {
    return this.#named((path) => {
      const own = openSync(path, O_RDONLY | O_NONBLOCK);
      const theirs = openSync(path, O_WRONLY);
      return { own: new Socket({ fd: own, readable: true, writable: false }), theirs };
    });
  }

  #named(open: (path: string) => Pipe): Pipe {
    const path = this.#ready.pop() ?? this.#refill();
    try {
      return open(path);
    } finally {
      rmSync(path);
    }
  }

  #refill(): string {
    const paths = Array.from({ length: batch }, () => join(this.#folder, `${this.#count++}`));
    const made = spawnSync(mkfifo, paths, { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`mkfifo failed: ${made.error ?? made.stderr}`);
    this.#ready = paths.slice(1);
    return paths[0]!;
  }
}
