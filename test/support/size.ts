import { type Needs, needs } from './needs.ts';
import { random, sampleOf } from './random.ts';

/** Whether this is `npm run test:all`: every point of what `npm test` takes a sample of. */
export const isAll = process.env.REEVE_TESTS === 'all';

/** What `npm test` takes; a change is judged by the same points as the one before it. */
const SEED = Number(process.env.REEVE_TEST_SEED ?? 1);

/** Options of a test that takes long and shows something beyond the kinds of faults that `npm test` is for. */
export const large: Needs = needs(!isAll && 'only in npm run test:all');

/** All of a list in `npm run test:all`; in `npm test` so many of it, in its order, the same ones for one REEVE_TEST_SEED. */
export function sampled<T>(list: readonly T[], count: number): T[] {
  return isAll ? [...list] : sampleOf(list, count, random(SEED));
}

/** How often a property is tried: so often in `npm run test:all`, a tenth of it in `npm test`. */
export function tries(count: number): number {
  return isAll ? count : Math.ceil(count / 10);
}
