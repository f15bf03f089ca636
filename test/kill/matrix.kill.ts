import { beforeAll, describe, expect, it } from 'vitest';
import type { DeathPoint } from '../support/death-point.ts';
import { sampleOf } from '../support/random.ts';
import { complaintsOf, dealt, seeded, undisturbed, type Whole } from './support/matrix.ts';
import { type Points, pointsOf } from './support/points.ts';

/** Lives that the points are dealt out to: so many processes die between two that died in the same life. */
const LIVES = 4;
const OTHERS = 10;
/** Runs that die once more in the resume, and runs that die again and again. */
const TWICE = 6;
const OFTEN = 2;
const DEATHS_OF_OFTEN = 12;
/** Events that a process of a run that dies often gets to write. */
const SHORTEST = 3;
const LONGEST = 30;

const next = seeded();
let whole: Whole;
let points: Points;
beforeAll(async () => {
  whole = await undisturbed({ servers: 2, agents: 1 });
  points = pointsOf(whole.events);
});

/** A moment in a resume: how far it comes until then differs, so it is counted in events. */
const somewhere = (most: number): DeathPoint => ({
  nth: SHORTEST + Math.floor(next() * (most - SHORTEST)),
  edge: next() < 0.5 ? 'before' : 'after',
});

describe('an upgrade of two servers and an agent ends by resume as an undisturbed one, nothing done twice, killed', () => {
  it('around every effect, after every event within one, and after some others', async () => {
    expect(points.boundaries.length).toBeGreaterThanOrEqual(3 * 12);
    const chosen = new Set([...points.boundaries, ...points.within, ...sampleOf(points.others, OTHERS, next)]);
    const inOrder = points.all.filter((point) => chosen.has(point));
    expect(await complaintsOf(whole, dealt(inOrder, LIVES))).toEqual([]);
  });

  it('and killed again in the resume', async () => {
    const first = sampleOf([...points.boundaries, ...points.within], TWICE, next);
    const lives = first.map((point) => [point, somewhere(2 * LONGEST)]);
    expect(await complaintsOf(whole, lives)).toEqual([]);
  });

  it('right before the record of every effect of the agent, and is taken back as an undisturbed one', async () => {
    const back = await undisturbed(whole.topology, true);
    const unrecorded = points.boundaries.filter(({ key, edge }) => edge === 'before' && key?.includes(' agent-1 '));
    expect(unrecorded).toHaveLength(3);
    // Once each, and all in one run.
    expect(await complaintsOf(back, [...unrecorded.map((point) => [point]), unrecorded])).toEqual([]);
  });

  it('again and again', async () => {
    const lives = Array.from({ length: OFTEN }, () => [
      ...sampleOf(points.boundaries, 1, next),
      ...Array.from({ length: DEATHS_OF_OFTEN }, () => somewhere(LONGEST)),
    ]);
    expect(await complaintsOf(whole, lives)).toEqual([]);
  });
});
