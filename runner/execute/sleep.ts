import type { Interrupt } from './interrupt.ts';

/** Waits between two tries or items: the first Ctrl-C ends it, since nothing is to begin after it; the second one rejects. */
export async function sleepUntilStopped(interrupt: Interrupt, ms: number): Promise<void> {
  interrupt.signal.throwIfAborted();
  try {
    await interruptibleSleep(interrupt.stopping, ms);
  } catch {
    interrupt.signal.throwIfAborted();
  }
}

/** Waits `ms` milliseconds; rejects with the signal's reason when that (a second Ctrl-C, a deadline) comes first. */
export function interruptibleSleep(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
