import {
  type ChildProcessWithoutNullStreams,
  type SpawnOptionsWithStdioTuple,
  type StdioPipe,
  spawn,
} from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
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

/** What a terminal, or whoever ends a whole group, sends to each process of ours, and this one takes for «finish what runs». */
const { SIGINT, SIGTERM, SIGHUP } = constants.signals;
const INTERRUPTS: readonly number[] = [SIGINT, SIGTERM, SIGHUP];
/** How often a process is started again that was hit before it was one of its own. */
const AGAIN = 5;

/**
 * Starts a process and gives its streams; destroying ends its whole process group. Until a new process has left our group, which
 * takes it milliseconds, Ctrl-C hits it as well: it has not begun anything then, and another one is started.
 *
 * @param start for tests
 */
export async function openLocal(
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
  start: Start = spawn,
): Promise<ByteStream> {
  for (let left = AGAIN; ; left--) {
    const child = start(file, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env });
    const stream = streamOf(child);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // Node is told of it later, and whoever waits for that could miss what another one has said before it ended.
    if (left === 0 || !INTERRUPTS.includes(signalOf(child.pid))) return stream;
    stream.destroy();
  }
}

type Start = (
  file: string,
  args: string[],
  options: SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioPipe>,
) => ChildProcessWithoutNullStreams;

/** The signal that has ended a process which nobody has waited for yet (proc(5), the last field of `stat`); 0 for none, or no /proc. */
function signalOf(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').trimEnd().split(' ').at(-1)) & 0x7f;
  } catch {
    return 0;
  }
}

function streamOf(child: ChildProcessWithoutNullStreams): ByteStream {
  const closed = new Promise<{ code?: number; signal?: string; message?: string }>((resolve) => {
    child.once('error', (error) => resolve({ message: error.message }));
    // `exit`, not `close`: a process left in the background may hold the streams open.
    child.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }));
  });
  return {
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
}
