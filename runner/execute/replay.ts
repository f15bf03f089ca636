import type { EffectEnded, EffectStarted, ItemEnded, PlayStarted, Renamed, RunEvent, TaskEnded } from '../events.ts';
import { MASK } from '../journal/masker.ts';
import { taskKey } from './effect-key.ts';
import { nodesSoFar } from './node-states.ts';
import type { PastPlay } from './past-play.ts';
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
}

/** An action that ended well before the run died, and whose task the journal does not know the end of. */
export type RecordedEffect = EffectEnded & { result: Record<string, unknown> };

/** An effect by its host, the task's id and the label of the loop's item. */
export interface EffectKey {
  host: string;
  task: string;
  item?: string;
}

interface Entry extends RecordedTask {
  items: (RecordedItem | undefined)[];
  /** It failed, and a rescue made it good. */
  rescued: boolean;
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
  readonly #entries = new Map<string, Entry[]>();
  readonly #open = new Map<string, Entry>();
  /** Plays and batches that have begun: their beginning is not recorded again, nor confirmed again. */
  readonly #begun = new Set<string>();
  /** Ended actions, by task: items run one after another, so one of them at most is not over. */
  readonly #effects = new Map<string, RecordedEffect>();
  /** Tasks whose effect had begun and not ended. */
  readonly #interrupted = new Map<string, EffectStarted>();
  /** What effects announced whose tasks or items have not ended. */
  readonly #announced = new Map<string, EffectStarted>();
  /** Blocks of which something has run, by host: their condition was true. */
  readonly #entered = new Map<string, true>();
  readonly #past: ReadonlySet<number>;
  readonly #ended = new Map<number, TaskEnded[]>();
  readonly #plays = new Map<number, PlayStarted>();
  #life = 0;
  /** Made when first asked for: then all is read. */
  #byHost: Map<string, string[]> | undefined;

  /** @param now plays that are done and have changed since, and steps that stand elsewhere now. */
  constructor(events: readonly RunEvent[], now: { past?: readonly number[]; renamed?: Renamed } = {}) {
    this.nodes = nodesSoFar(events);
    this.#past = new Set(now.past);
    for (const event of events) this.#read(event);
    this.#rename(now.renamed);
  }

  /** What a play has done that is not looked at again; undefined for one that is. */
  pastPlay(play: number): PastPlay | undefined {
    const started = this.#past.has(play) ? this.#plays.get(play) : undefined;
    return started && { started, ended: this.#ended.get(play) ?? [] };
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
    const entry = this.#entries.get(taskKey(host, task))?.shift();
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
    return this.#entries.get(taskKey(host, block))?.shift()?.ended?.status === 'skipped' ? false : undefined;
  }

  /**
   * A block is gone through again on a host. Where its body has to go on, rescue and always come after it anew; and where
   * these have changed something, they may have taken back what the body had done: then all of it is done again.
   */
  reenter(host: string, block: string, suffix: string, rescuable: boolean): void {
    const inside = (part: string) =>
      this.#keysOf(host).filter((key) => key.startsWith(`${taskKey(host, block)}.${part}[`) && isInRound(key, suffix));
    const body = inside('block');
    const goesOn = (entry: Entry) => !isDone(entry) && !(entry.ended && rescuable && !entry.settled);
    if (!body.some((key) => this.#entries.get(key)?.some(goesOn))) return;
    const after = [...inside('rescue'), ...inside('always')];
    const changed = ({ ended, hadEffect }: Entry) => (ended ? ended.status === 'changed' : hadEffect);
    const hasChanged = after.some((key) => this.#entries.get(key)?.some(changed));
    for (const key of hasChanged ? [...body, ...after] : after) {
      this.#entries.delete(key);
      this.#entered.delete(key);
    }
  }

  /** What there are records of on a host: of tasks, and of blocks that were entered. */
  #keysOf(host: string): readonly string[] {
    if (!this.#byHost) {
      this.#byHost = new Map();
      for (const key of new Set([...this.#entries.keys(), ...this.#entered.keys()])) {
        const name = key.slice(0, key.indexOf('\n'));
        const keys = this.#byHost.get(name);
        if (keys) keys.push(key);
        else this.#byHost.set(name, [key]);
      }
    }
    return this.#byHost.get(host) ?? [];
  }

  /** An action that has ended while its task has not, taken out; undefined when it is to be done. */
  takeEffect(key: EffectKey): RecordedEffect | undefined {
    return takeFrom(this.#effects, key);
  }

  /**
   * The effect in which the run died, taken out: a job that it began there, under the task's id of then, is attached to.
   */
  takeOpen(key: EffectKey): EffectStarted | undefined {
    return takeFrom(this.#interrupted, key);
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
    const open = this.#interrupted.get(taskKey(host, task));
    return open && isSameItem(open.item, item) ? open.undo : undefined;
  }

  #read(event: RunEvent): void {
    switch (event.type) {
      case 'play-started':
        this.#begun.add(`play ${event.play}`);
        this.#plays.set(event.play, event);
        break;
      case 'batch-started':
        this.#begun.add(`batch ${event.play} ${event.batch}`);
        break;
      case 'rollback-started':
        // A rollback that is killed is begun again, without a resume.
        this.#life++;
        break;
      case 'run-resumed':
        this.#life++;
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
        this.#endEffect(event);
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
    }
  }

  /** From here on steps have other ids. What is gone is forgotten. */
  #rename(renamed: Renamed | undefined): void {
    if (!renamed || Object.keys(renamed).length === 0) return;
    const maps = [this.#entries, this.#entered, this.#effects, this.#announced, this.#interrupted];
    for (const map of maps as Map<string, unknown>[]) {
      const entries = [...map].flatMap(([key, value]) => {
        const to = renamedKey(key, renamed);
        return to === undefined ? [] : [[to, value] as const];
      });
      map.clear();
      for (const [key, value] of entries) map.set(key, value);
    }
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
    const items = list[again]?.items.slice() ?? [];
    const hadEffect = this.#announced.has(key);
    const entry: Entry = { items, hadEffect, rescued: false, settled: false, life: this.#life };
    if (again < 0) list.push(entry);
    else list[again] = entry;
    this.#open.set(key, entry);
    return entry;
  }

  #beginEffect(event: EffectStarted): void {
    const key = taskKey(event.host, event.task);
    // Begun again after a death in it: what there was before the first time is what rollback goes back to.
    const undo = event.undo ?? this.begun(event);
    const effect = undo === undefined ? event : { ...event, undo };
    this.#interrupted.set(key, effect);
    this.#announced.set(key, effect);
    const entry = this.#open.get(key);
    if (entry) entry.hadEffect = true;
  }

  #endEffect(event: EffectEnded): void {
    const key = taskKey(event.host, event.task);
    this.#interrupted.delete(key);
    if (event.result) this.#effects.set(key, event as RecordedEffect);
  }

  #endItem(event: ItemEnded): void {
    const key = taskKey(event.host, event.task);
    const entry = this.#open.get(key);
    if (!entry) return;
    const hadEffect = this.#announced.has(key);
    const index = event.index ?? entry.items.length;
    entry.items[index] = isBad(event) || event.status === 'unknown' ? undefined : { ...event, hadEffect };
    this.#effects.delete(key);
    this.#announced.delete(key);
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
    this.#effects.delete(key);
    this.#announced.delete(key);
  }

  /** A rescue made good what had failed on the host: a failure outside of one would have been the host's last event. */
  #rescue(host: string): void {
    for (const [key, list] of this.#entries) {
      if (!key.startsWith(`${host}\n`)) continue;
      for (const entry of list) if (entry.ended && isBad(entry.ended) && !entry.settled) entry.rescued = true;
    }
  }
}

/** `x\nplays[0].tasks[1].block[0]#2` is in `x\nplays[0].tasks[1]`, which may have been looped (`#2`) or have stood in a loop. */
function blocksAround(key: string): string[] {
  const base = key.replace(/[#~@][\d#~@]*$/, '');
  const rounds = key.slice(base.length).split(/(?=[#~@])/);
  const suffixes = ['', ...rounds.map((_, index) => rounds.slice(0, index + 1).join(''))];
  const ends = [...base.matchAll(/\.(?:block|rescue|always|include)\[/g)].map(({ index }) => base.slice(0, index));
  return ends.flatMap((block) => suffixes.map((suffix) => block + suffix));
}

/** Whether a task ran in a round of a loop (`#2`), or in one inside of it. */
function isInRound(key: string, suffix: string): boolean {
  return (/[#~@][\d#~@]*$/.exec(key)?.[0] ?? '').startsWith(suffix);
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

function isDone(entry: Entry): boolean {
  return entry.ended !== undefined && (!isBad(entry.ended) || entry.ended.ignored === true || entry.rescued);
}

function isBad({ status }: Pick<TaskEnded, 'status'>): boolean {
  return status === 'failed' || status === 'unreachable';
}

function renamedKey(key: string, renamed: Renamed): string | undefined {
  const [host = '', id = ''] = key.split('\n');
  const to = renamedId(id, renamed);
  return to === undefined ? undefined : taskKey(host, to);
}

/** The id of a step with what says which round, batch or try of it. */
export function renamedId(id: string, renamed: Renamed): string | undefined {
  const base = id.replace(/[#~@][\d#~@]*$/, '');
  const to = Object.hasOwn(renamed, base) ? renamed[base] : base;
  return typeof to === 'string' ? to + id.slice(base.length) : undefined;
}
