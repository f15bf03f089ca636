import { expect, it } from 'vitest';
import { runId } from '../../../runner/cli/assemble.ts';

it('two runs of one second sort by their beginnings, so that `last` is the last one', () => {
  const at = (ms: number) => new Date(Date.UTC(2026, 0, 2, 3, 4, 5, ms));
  expect(runId(at(7))).toMatch(/^20260102-030405007-[0-9a-f]{6}$/);
  const ids = [900, 90, 9, 99, 10].map((ms) => runId(at(ms)));
  expect([...ids].sort()).toEqual([9, 10, 90, 99, 900].map((ms) => ids[[900, 90, 9, 99, 10].indexOf(ms)]));
});
