import type { RunEvent } from '../../runner/events.ts';
import type { Edge } from './dying-disk.ts';

/** The moment at which a run is to die. Sequence numbers differ from run to run, so an event is named by what it is about. */
export interface DeathPoint {
  /** As {@link eventKey} gives it; without one any event counts. */
  key?: string;
  /** Which of these events that the process writes, from 1. */
  nth: number;
  edge: Edge;
}

/** In the environment of a process that loads `die-at.ts`: a {@link DeathPoint} as JSON. */
export const DEATH = 'REEVE_TEST_DEATH';

/** The type of an event and what it is about, without what differs between two runs. */
export function eventKey(event: RunEvent): string {
  const { host, task, item, node, play, batch }: Record<string, unknown> = { ...event };
  const id = typeof task === 'object' && task !== null && 'id' in task ? task.id : task;
  const about = [host, id, item, node, ...(id === undefined ? [play, batch] : [])];
  return [event.type, ...about.filter((part) => part !== undefined)].join(' ');
}

/** True for the one event that the point names, asked for each event in order. */
export function reaches(point: DeathPoint): (event: RunEvent) => boolean {
  let left = point.nth;
  return (event) => (point.key === undefined || eventKey(event) === point.key) && --left === 0;
}

export function spokenPoint({ key, nth, edge }: DeathPoint): string {
  return `${edge} ${key === undefined ? 'event' : `«${key}»`} number ${nth}`;
}
