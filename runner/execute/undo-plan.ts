import type { RunEvent, TaskReference } from '../events.ts';
import type { AnyModule, Change } from '../module.ts';
import { holdsMask } from './lost-secret.ts';

/** One change of a run, in the order in which it is to be taken back. */
export interface UndoStep {
  /** Number of the `effect-ended` event. */
  effect: number;
  host: string;
  task: TaskReference;
  play: number;
  changes: Change[];
  undo?: unknown;
  /** Why it cannot be taken back; undefined when it can. */
  cannot?: string;
}

/**
 * What can and what cannot be undone of a run, the last change first. What an earlier rollback has undone is left out.
 * @param keepPlays changes of plays before this number stay.
 */
export function planUndo(
  events: readonly RunEvent[],
  modules: ReadonlyMap<string, AnyModule>,
  keepPlays = 0,
): UndoStep[] {
  const tasks = new Map<string, { task: TaskReference; play: number }>();
  const changes = new Map<string, Change[]>();
  const undone = new Set<number>();
  const steps: UndoStep[] = [];
  const begun = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'task-started')
      tasks.set(`${event.host}\n${event.task.id}`, { task: event.task, play: event.play });
    else if (event.type === 'effect-started') {
      changes.set(`${event.host}\n${event.task}\n${event.item ?? ''}`, event.changes);
      begun.set(`${event.host}\n${event.task}\n${event.item ?? ''}`, event.seq);
    } else if (event.type === 'undo-ended' && event.ok) undone.add(event.effect);
    else if (event.type === 'effect-ended') {
      const known = tasks.get(`${event.host}\n${event.task}`);
      begun.delete(`${event.host}\n${event.task}\n${event.item ?? ''}`);
      if (!known || known.play < keepPlays) continue;
      const made = changes.get(`${event.host}\n${event.task}\n${event.item ?? ''}`) ?? [];
      const cannot = whyNot(modules.get(known.task.module), event);
      steps.push({
        ...{ effect: event.seq, host: event.host, ...known, changes: made },
        ...(event.undo === undefined ? {} : { undo: event.undo }),
        ...(cannot === undefined ? {} : { cannot }),
      });
    }
  }
  for (const [key, effect] of begun) {
    const [host = '', task = ''] = key.split('\n');
    const known = tasks.get(`${host}\n${task}`);
    if (!known || known.play < keepPlays) continue;
    const cannot = 'the run died in it: how far it came is not known; resume the run first, or look at the host';
    steps.push({ effect, host, ...known, changes: changes.get(key) ?? [], cannot });
  }
  return steps.filter((step) => !undone.has(step.effect)).sort((a, b) => b.effect - a.effect);
}

function whyNot(module: AnyModule | undefined, effect: { undo?: unknown; ok: boolean }): string | undefined {
  if (!module?.undo) return 'this module has no way back';
  if (effect.undo === undefined)
    return effect.ok ? 'nothing was kept to go back to' : 'it failed, and left no record of what it did';
  // A mask stands for a path or a value that nobody knows any more: it must not reach a host.
  if (holdsMask(effect.undo)) return 'its record holds a secret, which no journal keeps';
  return undefined;
}
