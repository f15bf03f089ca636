import { expect, it } from 'vitest';
import { complaintsOf, seeded, undisturbed } from '../kill/support/matrix.ts';
import { pointsOf } from '../kill/support/points.ts';
import type { DeathPoint } from '../support/death-point.ts';

/** Of each effect one of its boundaries, in the order of the effects. `test/kill/matrix.kill.ts` takes all, and many more moments. */
function oneOfEach(boundaries: readonly DeathPoint[], next: () => number): DeathPoint[] {
  const effects = Map.groupBy(boundaries, ({ key, nth }) => `${key?.replace(/^effect-\w+ /, '')} ${nth}`);
  return [...effects.values()].map((points) => points[Math.floor(next() * points.length)]!);
}

it('an upgrade that is killed at every one of its effects ends by resume as an undisturbed one, nothing done twice', async () => {
  const next = seeded();
  const whole = await undisturbed({ servers: 1, agents: 1 });
  const { boundaries } = pointsOf(whole.events);
  // Else the upgrade, or the way its effects are recorded, is another one than this test is about.
  expect(boundaries.length).toBeGreaterThanOrEqual(3 * 7);
  const points = oneOfEach(boundaries, next);
  expect(points.length).toBeGreaterThanOrEqual(7);
  // One process dies at each: the run at the first, each resume at the next.
  expect(await complaintsOf(whole, [points])).toEqual([]);
});
