import { type ReadTarget, ReeveError, TaskFailure } from '../../runner/module.ts';
import { spoken } from './duration.ts';

export interface PollOptions {
  /** What is waited for: «port 6443 on 10.0.0.1 to open». */
  what: string;
  /** milliseconds */
  delay: number;
  interval: number;
  timeout: number;
}

/**
 * Looks until `look` gives a value, and gives that and the milliseconds it took. A string is what was seen instead, for
 * the message at the deadline. The last look is at the deadline itself. Throws TaskFailure `deadline`.
 */
export async function poll<T extends object>(
  target: ReadTarget,
  options: PollOptions,
  look: (left: number) => Promise<T | string>,
): Promise<{ found: T; elapsed: number }> {
  const start = performance.now();
  const timeout = Math.min(options.timeout, target.remaining());
  if (options.delay > 0) await target.sleep(Math.min(options.delay, timeout));
  for (;;) {
    const seen = await look(Math.max(0, timeout - (performance.now() - start)));
    const elapsed = performance.now() - start;
    if (typeof seen !== 'string') return { found: seen, elapsed };
    if (elapsed >= timeout) {
      throw new TaskFailure(`waited ${spoken(elapsed)} for ${options.what}: ${seen}`, {
        code: 'deadline',
        facts: { elapsed_seconds: elapsed / 1000 },
      });
    }
    target.progress(`${options.what}: ${seen}, ${spoken(elapsed)}`);
    await target.sleep(Math.max(1, Math.min(options.interval, timeout - elapsed)));
  }
}

/** The host did not answer, which is what is waited through. */
export function isUnreachable(error: unknown): error is ReeveError {
  return error instanceof ReeveError && error.code === 'unreachable';
}
