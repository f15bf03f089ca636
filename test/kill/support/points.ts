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
  /** All of these, in the order of the run. */
  all: DeathPoint[];
}

/** All of them, from the journal of an undisturbed run. */
export function pointsOf(events: readonly RunEvent[]): Points {
  const points: Points = { boundaries: [], within: [], others: [], all: [] };
  const seen = new Map<string, number>();
  const open = new Set<string>();
  for (const event of events) {
    const key = eventKey(event);
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    const after: DeathPoint = { key, nth, edge: 'after' };
    const before: DeathPoint = { ...after, edge: 'before' };
    points.all.push(...(event.type === 'effect-ended' ? [before, after] : [after]));
    if (event.type === 'effect-started') {
      open.add(event.host);
      points.boundaries.push(after);
    } else if (event.type === 'effect-ended') {
      open.delete(event.host);
      points.boundaries.push(before, after);
    } else if (open.size > 0) points.within.push(after);
    else points.others.push(after);
  }
  return points;
}
