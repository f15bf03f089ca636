import { setImmediate } from 'node:timers/promises';

/**
 * Starts `work` on each item, so many in one turn of the event loop, and waits for all of them. What each waits for itself
 * holds up nobody.
 */
export async function inTurns<T>(
  items: Iterable<T>,
  most: number,
  work: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  const begun: (Promise<unknown> | undefined)[] = [];
  for (const item of items) {
    begun.push(work(item));
    if (begun.length % most === 0) await setImmediate();
  }
  await Promise.all(begun);
}
