import type { EffectEnded, EffectStarted, ItemEnded, RunEvent, TaskEnded } from '../events.ts';
import { MASK } from '../journal/masker.ts';
import type { Change } from '../module.ts';
import { effectKey, taskKey } from './effect-key.ts';
import type { RecordedEffect } from './replay-effect.ts';

/** What a journal says of one item of a loop that has ended. */
export type RecordedItem = Pick<ItemEnded, 'status' | 'item' | 'result' | 'message' | 'changes'>;

/** What of a task on a host is known: how it ended, or which items of its loop did before the run died. */
export interface RecordedTask {
  ended?: TaskEnded;
  items: RecordedItem[];
  /** It failed, and a rescue made it good. */
  rescued?: boolean;
}

/**
 * What a run has done before, for going on after it died or failed. A task is taken as done when the journal says that it
 * ended well, was skipped, or failed and was ignored or rescued; anything else is planned again. A task can run several
 * times under one id (a handler after each section): its records are taken in the order they were made.
 */
export class Replay {
  readonly #records = new Map<string, RecordedTask[]>();
  /** Plays and batches that have begun: their beginning is not recorded again, nor confirmed again. */
  readonly #begun = new Set<string>();
  /** It did not end by itself, not even by failing: what had failed was on its way to a rescue. */
  readonly #died: boolean;
  readonly #effects = new Map<string, RecordedEffect>();
  /** Effects that had begun and not ended. */
  readonly #open = new Set<string>();
  /** What effects announced whose tasks have not ended. */
  readonly #announced = new Map<string, Change[]>();

  constructor(events: readonly RunEvent[]) {
    this.#died = events.at(-1)?.type !== 'run-ended';
    const items = new Map<string, RecordedItem[]>();
    const rescues = rescuedFailures(events);
    for (const event of events) {
      if (event.type === 'play-started') this.#begun.add(`play ${event.play}`);
      else if (event.type === 'batch-started') this.#begun.add(`batch ${event.play} ${event.batch}`);
      else if (event.type === 'task-started') items.set(taskKey(event.host, event.task.id), []);
      else if (event.type === 'effect-started') this.#begin(event);
      else if (event.type === 'effect-ended') this.#effect(event);
      else if (event.type === 'item-ended') items.get(taskKey(event.host, event.task))?.push(event);
      else if (event.type === 'task-ended') this.#add(event, items, rescues);
    }
    // What had begun and not ended when the run died: items that are done need not be done again.
    for (const [key, done] of items) if (done.length > 0) this.#push(key, { items: done });
  }

  hasPlay(play: number): boolean {
    return this.#begun.has(`play ${play}`);
  }

  hasBatch(play: number, batch: number): boolean {
    return this.#begun.has(`batch ${play} ${batch}`);
  }

  /**
   * The next record of a task on a host, taken out; undefined when it is to be run. `rescuable` says that the task stands
   * in a block with a rescue.
   */
  take(host: string, task: string, rescuable: boolean): RecordedTask | undefined {
    const list = this.#records.get(taskKey(host, task));
    const record = list?.[0];
    if (record?.ended && isBad(record.ended) && !record.rescued && !(this.#died && rescuable)) {
      list!.shift();
      // It failed and is tried again; the items before the failure are done.
      return { items: record.items.filter(isDone) };
    }
    return list?.shift();
  }

  /** An action that has ended while its task has not, taken out; undefined when it is to be done. */
  takeEffect(where: { host: string; task: string; item?: string }): RecordedEffect | undefined {
    const key = effectKey(where);
    const effect = this.#effects.get(key);
    this.#effects.delete(key);
    return effect;
  }

  /** Whether the run died in an effect of a task on a host: a job that it began there is attached to. Says so once. */
  takeOpen(host: string, task: string): boolean {
    const key = [...this.#open].find((one) => one.startsWith(`${taskKey(host, task)}\n`));
    return key !== undefined && this.#open.delete(key);
  }

  /**
   * What the run had announced when it died in a task, taken out. When nothing of it is left to do it was done, and the
   * task has changed something: its handlers must know.
   */
  takeAnnounced(where: { host: string; task: string; item?: string }): Change[] | undefined {
    const changes = this.#announced.get(effectKey(where));
    this.#announced.delete(effectKey(where));
    return changes;
  }

  #begin(event: EffectStarted): void {
    this.#open.add(effectKey(event));
    this.#announced.set(effectKey(event), event.changes);
  }

  #effect(event: EffectEnded): void {
    this.#open.delete(effectKey(event));
    if (event.result && !JSON.stringify(event.result).includes(MASK)) {
      this.#effects.set(effectKey(event), event as RecordedEffect);
    }
  }

  #add(event: TaskEnded & RunEvent, items: Map<string, RecordedItem[]>, rescues: ReadonlySet<RunEvent>): void {
    const key = taskKey(event.host, event.task.id);
    const done = items.get(key) ?? [];
    items.delete(key);
    for (const map of [this.#effects, this.#announced])
      for (const effect of map.keys()) if (effect.startsWith(`${key}\n`)) map.delete(effect);
    this.#push(key, { ended: event, items: done, rescued: rescues.has(event) });
  }

  #push(key: string, record: RecordedTask): void {
    const list = this.#records.get(key);
    if (list) list.push(record);
    else this.#records.set(key, [record]);
  }
}

function isBad(event: TaskEnded): boolean {
  return (event.status === 'failed' || event.status === 'unreachable') && !event.ignored;
}

function isDone(item: RecordedItem): boolean {
  return item.status !== 'failed' && item.status !== 'unreachable' && item.status !== 'unknown';
}

/** Failures that a rescue made good: the last failure of the host before the rescue was told. */
function rescuedFailures(events: readonly RunEvent[]): ReadonlySet<RunEvent> {
  const last = new Map<string, RunEvent[]>();
  const rescued = new Set<RunEvent>();
  for (const event of events) {
    if (
      event.type === 'task-ended' &&
      (event.status === 'failed' || event.status === 'unreachable') &&
      !event.ignored
    ) {
      last.set(event.host, [...(last.get(event.host) ?? []), event]);
    } else if (event.type === 'host-rescued') {
      for (const failure of last.get(event.host) ?? []) rescued.add(failure);
      last.delete(event.host);
    } else if (event.type === 'run-resumed') last.clear();
  }
  return rescued;
}
