import type { Renamed, RunEvent } from '../events.ts';
import { renamedId } from './renamed-ids.ts';

/**
 * The events of a run with the ids that its steps have now: a resume with another playbook says which of them were renamed.
 * Steps that are gone keep the id that they had.
 */
export function withCurrentIds(events: readonly RunEvent[]): RunEvent[] {
  const renames: Renamed[] = [];
  const now = events.toReversed().map((event): RunEvent => {
    if (event.type === 'run-resumed' && event.renamed) renames.unshift(event.renamed);
    if (renames.length === 0) return event;
    const idNow = (id: string) => renames.reduce((known, renamed) => renamedId(known, renamed) ?? known, id);
    switch (event.type) {
      case 'task-started':
      case 'task-ended':
        return { ...event, task: { ...event.task, id: idNow(event.task.id) } };
      case 'effect-started':
      case 'effect-ended':
        return { ...event, task: idNow(event.task) };
      default:
        return event;
    }
  });
  return now.reverse();
}
