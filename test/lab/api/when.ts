import type { Store } from './store.ts';

/**
 * Resolves as soon as the condition holds; looks at it now and after each change of the state, so no test needs a sleep.
 * @param limit real milliseconds, a safety net for tests that would otherwise hang
 * @throws Error when the limit passes
 */
export async function when(state: Store, what: string, condition: () => boolean, limit = 30_000): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`after ${limit} ms it was still not so: ${what}`));
    }, limit);
    const unsubscribe = state.subscribe(() => {
      if (!condition()) return;
      clearTimeout(timer);
      unsubscribe();
      resolve();
    });
  });
}
