import type { EffectEnded, EffectStarted, Renamed } from '../events.ts';
import { MASK } from '../journal/masker.ts';
import { taskKey } from './effect-key.ts';
import { renameKeys } from './renamed-ids.ts';

/** An effect by its host, the task's id and the label of the loop's item. */
export interface EffectKey {
  host: string;
  task: string;
  item?: string;
}

/** An action that ended well before the run died, and whose task the journal does not know the end of. */
export type RecordedEffect = EffectEnded & { result: Record<string, unknown> };

/**
 * What a journal knows of effects that a task had begun and was not over with. By task: items run one after another, so at
 * most one of them has any.
 */
export class RecordedEffects {
  readonly #ended = new Map<string, RecordedEffect>();
  /** Begun, and not ended. */
  readonly #open = new Map<string, EffectStarted>();
  /** Begun, in a task or item that has not ended. */
  readonly #announced = new Map<string, EffectStarted>();

  /** An action that has ended while its task has not, taken out; undefined when it is to be done. */
  take(key: EffectKey): RecordedEffect | undefined {
    return takeFrom(this.#ended, key);
  }

  /**
   * The effect in which the run died, taken out: a job that it began there, under the task's id of then, is attached to.
   */
  takeOpen(key: EffectKey): EffectStarted | undefined {
    return takeFrom(this.#open, key);
  }

  /**
   * What the run had announced when it died in a task, taken out. When nothing of it is left to do it was done, and the
   * task has changed something: its handlers must know.
   */
  takeAnnounced(key: EffectKey): Pick<EffectStarted, 'changes' | 'undo'> | undefined {
    return takeFrom(this.#announced, key);
  }

  /** What was announced to take an effect back with in which the run died; undefined when it did not die there. */
  begun({ host, task, item }: EffectKey): unknown {
    const open = this.#open.get(taskKey(host, task));
    return open && isSameItem(open.item, item) ? open.undo : undefined;
  }

  isAnnounced(key: string): boolean {
    return this.#announced.has(key);
  }

  start(event: EffectStarted): void {
    const key = taskKey(event.host, event.task);
    // Begun again after a death in it: what there was before the first time is what rollback goes back to.
    const undo = event.undo ?? this.begun(event);
    const effect = undo === undefined ? event : { ...event, undo };
    this.#open.set(key, effect);
    this.#announced.set(key, effect);
  }

  end(event: EffectEnded): void {
    const key = taskKey(event.host, event.task);
    this.#open.delete(key);
    if (event.result) this.#ended.set(key, event as RecordedEffect);
  }

  /** The item or the task that it belongs to is over. */
  settle(key: string): void {
    this.#ended.delete(key);
    this.#announced.delete(key);
  }

  /** It is to be done again, although it has ended. */
  forget(key: string): void {
    this.#ended.delete(key);
  }

  rename(renamed: Renamed): void {
    renameKeys(this.#ended, renamed);
    renameKeys(this.#open, renamed);
    renameKeys(this.#announced, renamed);
  }
}

function takeFrom<T extends { item?: string }>(map: Map<string, T>, { host, task, item }: EffectKey): T | undefined {
  const key = taskKey(host, task);
  const found = map.get(key);
  if (!found || !isSameItem(found.item, item)) return undefined;
  map.delete(key);
  return found;
}

/** Of a label that was masked nobody can say more than that it stands in the same place. */
export function isSameItem(recorded: string | undefined, item: string | undefined): boolean {
  return (recorded ?? '') === (item ?? '') || (item !== undefined && recorded?.includes(MASK) === true);
}
