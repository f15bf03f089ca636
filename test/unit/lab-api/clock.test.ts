import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Clock } from '../../lab/api/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('cluster seconds pass at the scale', () => {
  const clock = new Clock(1 / 300);
  const ring = vi.fn();
  clock.after(30, ring);
  vi.advanceTimersByTime(99);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ring).toHaveBeenCalledOnce();
});

test('what falls due during a pause happens at its end, unless it was cancelled', () => {
  const clock = new Clock(1);
  const ring = vi.fn();
  clock.after(1, ring);
  const cancel = clock.after(1, ring);
  clock.pause();
  vi.advanceTimersByTime(60_000);
  expect(ring).not.toHaveBeenCalled();
  cancel();
  clock.resume();
  expect(ring).toHaveBeenCalledOnce();
});

test('nothing happens after a stop', () => {
  const clock = new Clock(1);
  const ring = vi.fn();
  clock.after(1, ring);
  clock.stop();
  vi.advanceTimersByTime(60_000);
  expect(ring).not.toHaveBeenCalled();
});
