import type { ItemEnded, RunEvent, TaskEnded } from '../events.ts';

/** What a journal says of one item of a loop that has ended. */
export type RecordedItem = Pick<ItemEnded, 'status' | 'item' | 'result' | 'message' | 'changes'>;

/** What of a task on a host is known: how it ended, or which items of its loop did before the run died. */
export interface RecordedTask {
  ended?: TaskEnded;
  items: RecordedItem[];
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

  constructor(events: readonly RunEvent[]) {
    const items = new Map<string, RecordedItem[]>();
    const rescues = rescuedFailures(events);
    for (const event of events) {
      if (event.type === 'play-started') this.#begun.add(`play ${event.play}`);
      else if (event.type === 'batch-started') this.#begun.add(`batch ${event.play} ${event.batch}`);
      else if (event.type === 'task-started') items.set(keyOf(event.host, event.task.id), []);
      else if (event.type === 'item-ended') items.get(keyOf(event.host, event.task))?.push(event);
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

  /** The next record of a task on a host, taken out; undefined when it is to be run. */
  take(host: string, task: string): RecordedTask | undefined {
    return this.#records.get(keyOf(host, task))?.shift();
  }

  #add(event: TaskEnded & RunEvent, items: Map<string, RecordedItem[]>, rescues: ReadonlySet<RunEvent>): void {
    const key = keyOf(event.host, event.task.id);
    const done = items.get(key) ?? [];
    items.delete(key);
    const bad = event.status === 'failed' || event.status === 'unreachable';
    if (!bad || event.ignored || rescues.has(event)) this.#push(key, { ended: event, items: done });
    // A failed loop: the items before the failure are done.
    else if (done.length > 0) this.#push(key, { items: done.filter((item) => isDone(item)) });
  }

  #push(key: string, record: RecordedTask): void {
    const list = this.#records.get(key);
    if (list) list.push(record);
    else this.#records.set(key, [record]);
  }
}

function isDone(item: RecordedItem): boolean {
  return item.status !== 'failed' && item.status !== 'unreachable' && item.status !== 'unknown';
}

function keyOf(host: string, task: string): string {
  return `${host}\n${task}`;
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
