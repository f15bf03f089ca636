import { expect, it } from 'vitest';
import { complaintsOf, seeded, undisturbed } from '../kill/support/matrix.ts';
import { pointsOf, sampleOf } from '../kill/support/points.ts';

/** Moments beside the boundaries of effects; `npm run test:kill` takes many more, in a larger lab. */
const FURTHER = 6;

it('an upgrade that is killed around any effect ends by resume as an undisturbed one, nothing done twice', async () => {
  const next = seeded();
  const whole = await undisturbed({ servers: 1, agents: 1 });
  const { boundaries, within, others } = pointsOf(whole.events);
  // Else the upgrade, or the way its effects are recorded, is another one than this test is about.
  expect(boundaries.length).toBeGreaterThanOrEqual(3 * 7);
  const lives = [...boundaries, ...sampleOf([...within, ...others], FURTHER, next)].map((point) => [point]);
  expect(await complaintsOf(whole, lives)).toEqual([]);
}, 1_800_000);
