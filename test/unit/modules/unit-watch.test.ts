import { describe, expect, it } from 'vitest';
import { type WatchOptions, watchUnit } from '../../../modules/shared/unit-watch.ts';
import type { ReadTarget, RunResult } from '../../../runner/module.ts';
import { controlTarget } from './support.ts';

/** A target that answers with one state after another; the last one stays. */
function answering(...states: string[]): ReadTarget {
  let at = 0;
  const read = async () => ({ stdout: `Manager=systemd\n${states[Math.min(at++, states.length - 1)]}\n` }) as RunResult;
  return controlTarget({ read });
}
const watch = (options: WatchOptions, ...states: string[]) => watchUnit(answering(...states), 'k3s', options);

describe('watchUnit', () => {
  it.each([
    ['the process from before', 'ActiveState=active\nInvocationID=a'],
    ['a job in the queue', 'ActiveState=active\nInvocationID=b\nJob=7'],
    ['a start under way', 'ActiveState=activating\nInvocationID=b'],
    ['a crash that systemd mends', 'ActiveState=activating\nSubState=auto-restart\nInvocationID=b'],
    ['an end before the start', 'ActiveState=inactive\nInvocationID=a'],
  ])('is not content with %s', async (_, state) => {
    const options = { until: 'up', since: 'a:0', timeout: 60_000 } as const;
    const { state: seen, settled } = await watch(options, state, 'ActiveState=active\nInvocationID=c');
    expect([settled, seen.invocation]).toEqual([true, 'c:0']);
    expect(await watch({ ...options, timeout: 0 }, state)).toMatchObject({ settled: false });
  });

  it('takes a failure and a one-shot that ended for an end', async () => {
    const failed = await watch({ until: 'up', since: 'a:0', timeout: 0 }, 'ActiveState=failed\nInvocationID=b');
    expect(failed).toMatchObject({ settled: true, state: { active: 'failed' } });
    const done = 'ActiveState=inactive\nType=oneshot\nInvocationID=b';
    expect(await watch({ until: 'up', since: 'a:0', timeout: 0 }, done)).toMatchObject({ settled: true });
    expect(await watch({ until: 'down', timeout: 0 }, 'ActiveState=failed')).toMatchObject({ settled: true });
  });
});
