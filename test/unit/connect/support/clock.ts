import { vi } from 'vitest';

/** Time of this process stands still while `work` goes on, but for what `pass` lets go by: deadlines of minutes cost nothing. */
export async function withClock(work: (pass: (milliseconds: number) => void) => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  try {
    await work((milliseconds) => vi.advanceTimersByTime(milliseconds));
  } finally {
    vi.useRealTimers();
  }
}
