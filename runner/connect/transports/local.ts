import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { ByteStream, Transport } from '../types.ts';

/** The machine reeve runs on. Each shell is the leader of a process group of its own. */
export function localTransport(): Transport {
  let alive = true;
  return {
    get alive() {
      return alive;
    },
    open: (command) => openLocal('/bin/sh', ['-c', command]),
    forward: (host, port) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port }, () => resolve(socket));
        socket.once('error', reject);
      }),
    async close() {
      alive = false;
    },
  };
}

/** Starts a process and gives its streams; destroying ends its whole process group. */
export function openLocal(file: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<ByteStream> {
  const child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env });
  const closed = new Promise<{ code?: number; signal?: string; message?: string }>((resolve) => {
    child.once('error', (error) => resolve({ message: error.message }));
    // `exit`, not `close`: a process left in the background may hold the streams open.
    child.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }));
  });
  const stream: ByteStream = {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    closed,
    destroy() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(stream));
    child.once('error', reject);
  });
}
