import type { RunEvent } from '../../../runner/events.ts';
import { type DeathPoint, eventKey } from '../../support/death-point.ts';

/** The moments of a run at which it may die, by what they are to its effects. */
export interface Points {
  /** Around each effect: announced and not begun; done and not recorded; recorded, and its task not. */
  boundaries: DeathPoint[];
  /** After each event while an effect is under way. */
  within: DeathPoint[];
  /** After each other event. */
  others: DeathPoint[];
}

/** All of them, from the journal of an undisturbed run. */
export function pointsOf(events: readonly RunEvent[]): Points {
  const points: Points = { boundaries: [], within: [], others: [] };
  const seen = new Map<string, number>();
  const open = new Set<string>();
  for (const event of events) {
    const key = eventKey(event);
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    const after: DeathPoint = { key, nth, edge: 'after' };
    if (event.type === 'effect-started') {
      open.add(event.host);
      points.boundaries.push(after);
    } else if (event.type === 'effect-ended') {
      open.delete(event.host);
      points.boundaries.push({ ...after, edge: 'before' }, after);
    } else if (open.size > 0) points.within.push(after);
    else points.others.push(after);
  }
  return points;
}

/** Random numbers from 0 to 1 that a seed repeats (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many of a list, each at most once, in its order. */
export function sampleOf<T>(list: readonly T[], count: number, next: () => number): T[] {
  const chosen = list.map((item, index) => ({ item, index, weight: next() }));
  chosen.sort((a, b) => a.weight - b.weight);
  return chosen
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}
