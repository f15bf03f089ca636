import type { WriteTarget } from '../../runner/module.ts';
import { isUnreachable } from './polling.ts';

/** milliseconds that a host may be away in the middle of something. */
const PATIENCE = 120_000;

/**
 * The same target, but its `read` and `run` are sent again after a lost connection, for two minutes. Only for scripts that
 * may run twice: it cannot be known how far a lost one came.
 */
export function steady(target: WriteTarget): WriteTarget {
  const again = async <T>(send: () => Promise<T>): Promise<T> => {
    const deadline = Date.now() + Math.min(PATIENCE, target.remaining());
    for (;;) {
      try {
        return await send();
      } catch (error) {
        if (!isUnreachable(error) || Date.now() >= deadline) throw error;
        target.progress(`${error.message}; trying again`);
        await target.sleep(1000);
      }
    }
  };
  // Everything else is inherited, getters included.
  return Object.create(target, {
    read: { value: (...args: Parameters<WriteTarget['read']>) => again(() => target.read(...args)) },
    run: { value: (...args: Parameters<WriteTarget['run']>) => again(() => target.run(...args)) },
  }) as WriteTarget;
}
