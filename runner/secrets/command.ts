import { isUtf8 } from 'node:buffer';
import { spawnSync } from 'node:child_process';

/** milliseconds that a command may take to give a secret: some ask for a touch of a key. */
export const COMMAND_LIMIT = 60_000;
const MOST_BYTES = 1024 * 1024;

export type CommandOutcome = { output: string } | { problem: string };

/**
 * Runs a command that prints a secret and waits for it: secrets are needed where nothing can wait. It has no input, and
 * its messages go nowhere, since nobody knows what is in them.
 * @param limit milliseconds until it is killed with everything it started.
 */
export function runSecretCommand(argv: readonly string[], cwd: string, limit = COMMAND_LIMIT): CommandOutcome {
  const [file, ...args] = argv;
  const done = spawnSync(file!, args, {
    cwd,
    timeout: limit,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_BYTES,
    stdio: ['ignore', 'pipe', 'ignore'],
    // A process group of its own, so that what it started can be ended with it.
    ...{ detached: true },
  });
  const code = (done.error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== undefined || done.signal) endGroup(done.pid);
  if (code === 'ETIMEDOUT') return { problem: `it gave no answer within ${limit / 1000} seconds` };
  if (code === 'ENOBUFS') return { problem: 'it printed more than 1 MB' };
  if (code !== undefined) return { problem: `it cannot be started (${code})` };
  if (done.signal) return { problem: `it was ended by ${done.signal}` };
  if (done.status !== 0) return { problem: `it ended with exit code ${done.status}` };
  if (!isUtf8(done.stdout)) return { problem: 'it printed something else than UTF-8 text' };
  return { output: done.stdout.toString('utf8') };
}

function endGroup(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended already.
  }
}
