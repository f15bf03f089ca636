import type {
  BatchStarted,
  BlockFailed,
  EffectStarted,
  ItemEnded,
  PlayStarted,
  Renamed,
  RunEvent,
  TaskEnded,
} from '../events.ts';
import { blocksAround, isOfGate, partOfBlock } from './block-key.ts';
import { taskKey } from './effect-key.ts';
import { nodesSoFar } from './node-states.ts';
import type { PastPlay } from './past-play.ts';
import { RecordedEffects } from './recorded-effects.ts';
import { renamedId, renameKeys } from './renamed-ids.ts';
import type { RunState } from './run-state.ts';

/** What a journal says of one item of a loop that has ended. */
export type RecordedItem = Pick<ItemEnded, 'status' | 'item' | 'result' | 'message' | 'changes'> & {
  /** It had begun to change something. */
  hadEffect: boolean;
};

/** What of a task on a host is known: how it ended, or which items of its loop did before the run died. */
export interface RecordedTask {
  ended?: TaskEnded;
  /** By their number; those that failed or did not run are missing. */
  items: readonly (RecordedItem | undefined)[];
  /** It had begun to change something. */
  hadEffect: boolean;
  /** It is done again although it had changed something: its handlers must know. */
  hadChanged?: boolean;
}

interface Entry extends RecordedTask {
  items: (RecordedItem | undefined)[];
  /** It failed, and a rescue or the next round of its block made it good. */
  rescued: boolean;
  /** It is in a block that is done again. */
  again: boolean;
  /** The run ended by itself after it: a failure was on its way to no rescue any more. */
  settled: boolean;
  /** Which of the run's lives (it, its first resume, …) recorded it. */
  life: number;
}

/**
 * What a run has done before, for going on after it died or failed. A task is taken as done when the journal says that it
 * ended well, was skipped, or failed and was ignored or rescued; anything else is planned again. A task can run several
 * times under one id (a handler after each section): its records are taken in the order they were made. What a resume has
 * done again takes the place of what it had to do again.
 */
export class Replay {
  /** The nodes that the run has left otherwise than they should be. */
  readonly nodes: RunState['nodes'];
  /** The run died before its first event. */
  readonly isEmpty: boolean;
  readonly effects = new RecordedEffects();
  readonly #entries = new Map<string, Entry[]>();
  readonly #open = new Map<string, Entry>();
  /** Batches that have begun, by play: their beginning is not recorded again, nor confirmed again. */
  readonly #batches = new Map<number, string[][]>();
  /** Blocks of which something has run, by host: their condition was true. */
  readonly #entered = new Map<string, true>();
  /** Blocks that have failed on a host, and nothing rescues it. */
  readonly #failed = new Map<string, BlockFailed>();
  readonly #past: ReadonlySet<number>;
  readonly #ended = new Map<number, TaskEnded[]>();
  readonly #plays = new Map<number, PlayStarted>();
  #life = 0;

  /** @param now plays that are done and have changed since, and steps that stand elsewhere now. */
  constructor(events: readonly RunEvent[], now: { past?: readonly number[]; renamed?: Renamed } = {}) {
    this.nodes = nodesSoFar(events);
    this.isEmpty = events.length === 0;
    this.#past = new Set(now.past);
    for (const event of events) this.#read(event);
    this.#doBlocksAgain();
    this.#rename(now.renamed);
  }

  /** What a play has done that is not looked at again; undefined for one that is. */
  pastPlay(play: number): PastPlay | undefined {
    const started = this.#past.has(play) ? this.#plays.get(play) : undefined;
    return started && { started, ended: this.#ended.get(play) ?? [] };
  }

  /** Whether the journal knows that a play has begun with these hosts. */
  hasPlay(play: number, hosts: readonly string[]): boolean {
    return hosts.join('\n') === this.#plays.get(play)?.hosts.join('\n');
  }

  /** The hosts of the batches of a play that have begun. */
  batchesOf(play: number): readonly (readonly string[])[] {
    return this.#batches.get(play) ?? [];
  }

  /**
   * Whether the journal knows that a batch has begun with these hosts. When others have joined it, its gate has not seen
   * them: what it said is forgotten.
   */
  hasBatch(play: number, batch: number, hosts: readonly string[]): boolean {
    const before = this.batchesOf(play)[batch];
    if (before && hosts.some((name) => !before.includes(name))) this.#forgetGate(play, batch);
    return hosts.join('\n') === before?.join('\n');
  }

  /** The host that has done a `run_once` task, or has begun it and is one of `willing`. */
  onceOn(task: string, hosts: Iterable<string>, willing: ReadonlySet<string>): string | undefined {
    for (const host of hosts) {
      const entry = this.#entries.get(taskKey(host, task))?.[0];
      if (entry && entry.ended?.status !== 'skipped' && (isDone(entry) || willing.has(host))) return host;
    }
    return undefined;
  }

  /**
   * The next record of a task on a host, taken out; undefined when it is to be run. `rescuable` says that the task stands
   * in a block with a rescue.
   */
  take(host: string, task: string, rescuable: boolean): RecordedTask | undefined {
    const entry = this.#entries.get(taskKey(host, task))?.shift();
    if (entry?.again) return { items: [], hadEffect: false, hadChanged: entry.hadChanged === true };
    if (!entry || isDone(entry) || (entry.ended && rescuable && !entry.settled)) return entry;
    // It failed or was cut off, and is tried again; the items before that are done.
    return { items: entry.items, hadEffect: entry.hadEffect };
  }

  /**
   * Whether a block was entered (true) or left out (false) on a host; undefined when that is to be decided. It is not
   * decided again: what it depends on may have been changed by the block itself, and half of it would be left undone.
   */
  hasEntered(host: string, block: string): boolean | undefined {
    if (this.#entered.has(taskKey(host, block))) return true;
    const entry = this.#entries.get(taskKey(host, block))?.shift();
    return entry?.ended?.status === 'skipped' && !entry.again ? false : undefined;
  }

  /** Whether anything of a block's round has run on a host. */
  hasRound(host: string, block: string): boolean {
    return this.#entered.has(taskKey(host, block));
  }

  #read(event: RunEvent): void {
    switch (event.type) {
      case 'play-started':
        this.#plays.set(event.play, event);
        break;
      case 'batch-started':
        this.#beginBatch(event);
        break;
      case 'rollback-started':
        // A rollback that is killed is begun again, without a resume.
        this.#life++;
        this.#doBlocksAgain();
        break;
      case 'run-resumed':
        this.#life++;
        this.#doBlocksAgain();
        this.#rename(event.renamed);
        break;
      case 'run-ended':
        for (const entry of [...this.#entries.values()].flat()) entry.settled = true;
        break;
      case 'task-started':
        this.#begin(taskKey(event.host, event.task.id));
        break;
      case 'effect-started':
        this.#beginEffect(event);
        break;
      case 'effect-ended':
        this.effects.end(event);
        break;
      case 'item-ended':
        this.#endItem(event);
        break;
      case 'task-ended':
        this.#end(event);
        break;
      case 'host-rescued':
        this.#rescue(event.host);
        break;
      case 'block-failed':
        this.#failed.set(taskKey(event.host, event.block), event);
        break;
      case 'task-retry':
        if (!this.#open.has(taskKey(event.host, event.task))) this.#endRound(event.host, event.task);
        break;
    }
  }

  /**
   * A block that failed is gone on with where it failed, and its `rescue` and `always` follow anew. When those have changed
   * something they may have put away what the steps before had made, such as a drain or a temporary folder: it is done again
   * from its beginning, as `retries` of a block does it.
   */
  #doBlocksAgain(): void {
    for (const failed of this.#failed.values()) {
      const inside = [...this.#entries].flatMap(([key, list]) => {
        const part = partOfBlock(key, failed);
        return part === undefined ? [] : list.map((entry) => ({ key, part, entry }));
      });
      const isUndone = inside.some(({ part, entry }) => part !== 'block' && hasChanged(entry) && !entry.again);
      for (const { key, part, entry } of inside) {
        entry.settled = true;
        if (part === 'block' && !isUndone) continue;
        entry.again = true;
        if (entry.ended?.status === 'changed') entry.hadChanged = true;
        this.effects.forget(key);
      }
      for (const key of this.#entered.keys()) if (isUndone && partOfBlock(key, failed)) this.#entered.delete(key);
    }
    this.#failed.clear();
  }

  #beginBatch({ play, batch, hosts }: BatchStarted): void {
    this.hasBatch(play, batch, hosts);
    const batches = this.#batches.get(play) ?? [];
    this.#batches.set(play, batches);
    batches[batch] = hosts;
  }

  #forgetGate(play: number, batch: number): void {
    for (const key of new Set([...this.#entries.keys(), ...this.#entered.keys()])) {
      if (!isOfGate(key, play, batch)) continue;
      this.#entries.delete(key);
      this.#entered.delete(key);
      this.effects.forget(key);
    }
  }

  /** What failed in this round of a block is over: the next one begins. */
  #endRound(host: string, block: string): void {
    for (const [key, list] of this.#entries) {
      if (partOfBlock(key, { host, block })) makeGood(list);
    }
  }

  /** From here on steps have other ids. What is gone is forgotten. */
  #rename(renamed: Renamed | undefined): void {
    if (!renamed || Object.keys(renamed).length === 0) return;
    renameKeys(this.#entries, renamed);
    renameKeys(this.#entered, renamed);
    this.effects.rename(renamed);
    for (const list of this.#ended.values()) {
      for (const event of list) event.task = { ...event.task, id: renamedId(event.task.id, renamed) ?? '' };
    }
  }

  /** A task begins: in the place of a record that had to be done again, or after those there are. */
  #begin(key: string): Entry {
    const list = this.#entries.get(key) ?? [];
    this.#entries.set(key, list);
    for (const block of blocksAround(key)) this.#entered.set(block, true);
    const again = list.findIndex((entry) => entry.life < this.#life && !isDone(entry));
    const before = list[again];
    const items = before?.again ? [] : (before?.items.slice() ?? []);
    const hadEffect = this.effects.isAnnounced(key);
    const entry: Entry = { items, hadEffect, rescued: false, settled: false, again: false, life: this.#life };
    if (before?.hadChanged) entry.hadChanged = true;
    if (again < 0) list.push(entry);
    else list[again] = entry;
    this.#open.set(key, entry);
    return entry;
  }

  #beginEffect(event: EffectStarted): void {
    this.effects.start(event);
    const entry = this.#open.get(taskKey(event.host, event.task));
    if (entry) entry.hadEffect = true;
  }

  #endItem(event: ItemEnded): void {
    const key = taskKey(event.host, event.task);
    const entry = this.#open.get(key);
    if (!entry) return;
    const hadEffect = this.effects.isAnnounced(key);
    const index = event.index ?? entry.items.length;
    entry.items[index] = isBad(event) || event.status === 'unknown' ? undefined : { ...event, hadEffect };
    this.effects.settle(key);
  }

  #end(event: TaskEnded): void {
    const key = taskKey(event.host, event.task.id);
    const entry = this.#open.get(key) ?? this.#begin(key);
    this.#open.delete(key);
    entry.ended = event;
    const ended = this.#ended.get(event.play) ?? [];
    this.#ended.set(event.play, ended);
    ended.push({ ...event });
    // That a secret was missing says nothing against an action that was done.
    if (event.error?.code === 'secret-not-recorded') return;
    this.effects.settle(key);
  }

  /** A rescue made good what had failed on the host: a failure outside of one would have been the host's last event. */
  #rescue(host: string): void {
    for (const [key, list] of this.#entries) {
      if (key.startsWith(`${host}\n`)) makeGood(list);
    }
  }
}

/** What failed is made good; what had failed when the run ended by itself is not. */
function makeGood(list: readonly Entry[]): void {
  for (const entry of list) if (entry.ended && isBad(entry.ended) && !entry.settled) entry.rescued = true;
}

function isDone(entry: Entry): boolean {
  return (
    !entry.again && entry.ended !== undefined && (!isBad(entry.ended) || entry.ended.ignored === true || entry.rescued)
  );
}

function isBad({ status }: Pick<TaskEnded, 'status'>): boolean {
  return status === 'failed' || status === 'unreachable';
}

/** What says `changed_when: false`, a message to a chat for instance, takes nothing back. */
function hasChanged({ ended, hadEffect }: Entry): boolean {
  return ended && (!isBad(ended) || ended.ignored) ? ended.status === 'changed' : hadEffect;
}
