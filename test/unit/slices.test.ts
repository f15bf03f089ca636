import { expect, test } from 'vitest';
import { inTurns } from '../../runner/in-turns.ts';
import { Slices } from '../../runner/slices.ts';

test('long work of many lets the event loop go round', async () => {
  const slices = new Slices();
  let turns = 0;
  const count = () => {
    turns++;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  // Each works for longer than a slice; all that wait at the same time go on in the same turn.
  const worker = async () => {
    for (const end = performance.now() + 100; performance.now() < end; ) {
      if (slices.isOver) await slices.next();
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  clearImmediate(timer);
  expect(turns).toBeGreaterThan(1);
});

test('who waits for the next turn at the same time waits for the same one', async () => {
  const slices = new Slices();
  expect(slices.next()).toBe(slices.next());
  const first = slices.next();
  await first;
  expect(slices.next()).not.toBe(first);
});

test('work is begun in turns, and all of it awaited', async () => {
  const log: string[] = [];
  setImmediate(() => log.push('another'));
  await inTurns([1, 2, 3], 2, async (one) => {
    log.push(`begun ${one}`);
    await Promise.resolve();
    log.push(`ended ${one}`);
  });
  expect(log.slice(0, 2)).toEqual(['begun 1', 'begun 2']);
  expect(log.indexOf('another')).toBeLessThan(log.indexOf('begun 3'));
  expect(log.at(-1)).toBe('ended 3');
});
