import type {
  BatchStarted,
  GivenValues,
  HostRecap,
  ItemEnded,
  Notice,
  PlayStarted,
  RunEnded,
  RunEvent,
  RunStarted,
  TaskEnded,
  TaskReference,
  TaskRetry,
  TaskStatus,
  UndoStarted,
} from '../events.ts';
import { type ApiWatch, ApiWatches } from './api-watches.ts';

/** How a task stands in a report: as it ended, or that it never did. */
export type RecordedStatus = TaskStatus | 'unfinished';

/** An event, as far as a record keeps it. */
export type At<T> = T & { at: string };

/** One task on one host, with all that was told about it. */
export interface TaskRecord {
  play: number;
  batch: number;
  host: string;
  delegate?: string;
  task: TaskReference;
  startedAt: string;
  endedAt?: string;
  status: RecordedStatus;
  ended?: TaskEnded;
  items: At<ItemEnded>[];
  retries: At<TaskRetry>[];
  progress: { at: string; message: string }[];
  output: { stdout: string; stderr: string };
  /** Writes began; `undo` says whether they recorded how to take them back. */
  effects: { at: string; ok?: boolean; undo: boolean }[];
  /** What made a failure good: the rescue of a block, or a later try of the same task after a resume. */
  overcome?: 'rescue' | 'resume';
}

export interface BatchRecord extends At<BatchStarted> {
  endedAt?: string;
  failed: string[];
}

export interface PlayRecord extends At<PlayStarted> {
  endedAt?: string;
  failed: string[];
  skippedBatches: number;
  batchRecords: BatchRecord[];
  tasks: TaskRecord[];
}

/** One change that went back, or did not. */
export interface UndoRecord extends At<UndoStarted> {
  endedAt?: string;
  ok?: boolean;
  message?: string;
}

/** One try to take the run back. */
export interface RollbackRecord {
  at: string;
  undos: UndoRecord[];
  endedAt?: string;
  ok?: boolean;
  message?: string;
}

/** A run as its journal tells it, put in order for reports. */
export interface RunRecord {
  started?: At<RunStarted>;
  /** Undefined while it runs, and when it was cut off. A run that was resumed has the end of its last part. */
  ended?: At<RunEnded>;
  /** Time of the last event. */
  lastAt: string;
  resumedAt: string[];
  /** What resumes went on with that were given something else than what went before: all of it. */
  givenAnew: At<GivenValues>[];
  /** The process of the run was gone before its end, and somebody resumed it: its last word, and what was under way. */
  cutOffs: { at: string; resumedAt: string; underWay: { host: string; name: string; writing: boolean }[] }[];
  rollbacks: RollbackRecord[];
  plays: PlayRecord[];
  /** All tasks in the order they began. */
  tasks: TaskRecord[];
  notices: At<Notice>[];
  notes: { at: string; text: string; by?: string }[];
  pendingHandlers: Map<string, string[]>;
  /** Nodes not as they should be, and how; empty text is left out. */
  nodes: Map<string, string>;
  /** API servers that the run asked whether they answer. */
  apiWatches: ApiWatch[];
}

/** Puts the events of a run in order. Events of later versions that it does not know are passed over. */
export function recordOf(events: readonly RunEvent[]): RunRecord {
  const recorder = new Recorder();
  for (const event of events) recorder.take(event);
  return recorder.record;
}

/** Puts events in order one after another, for whoever does not have them all at once. */
export class Recorder {
  readonly #watches = new ApiWatches();
  readonly record: RunRecord = {
    lastAt: '',
    resumedAt: [],
    givenAnew: [],
    cutOffs: [],
    rollbacks: [],
    plays: [],
    tasks: [],
    notices: [],
    notes: [],
    pendingHandlers: new Map(),
    nodes: new Map(),
    apiWatches: this.#watches.all,
  };
  /** Running tasks by host and id. */
  readonly #open = new Map<string, TaskRecord>();
  /** The last record of each host and id, ended or not. */
  readonly #last = new Map<string, TaskRecord>();

  take(event: RunEvent): void {
    const { record } = this;
    const { at } = event;
    const before = record.lastAt;
    this.#watches.take(event, before);
    if (event.type !== 'note') record.lastAt = at;
    switch (event.type) {
      case 'run-started':
        record.started ??= event;
        break;
      case 'run-resumed':
        record.resumedAt.push(at);
        if (event.given) record.givenAnew.push({ ...event.given, at });
        if (!record.ended) record.cutOffs.push({ at: before, resumedAt: at, underWay: this.#underWay() });
        delete record.ended;
        record.pendingHandlers.clear();
        break;
      case 'run-ended':
        // How a rollback ended is its own story: what the run came to stays what it was.
        if (record.rollbacks.length === 0 || !record.ended) record.ended = event;
        record.nodes = new Map(Object.entries(event.nodes));
        break;
      case 'note':
        record.notes.push({ at, text: event.text, ...(event.by === undefined ? {} : { by: event.by }) });
        break;
      case 'notice':
        record.notices.push(event);
        break;
      case 'host-rescued':
        this.#rescue(event.host);
        break;
      case 'handlers-pending':
        record.pendingHandlers.set(event.host, event.handlers);
        break;
      case 'node-state':
        if (event.state === '' || event.state === 'as it should be') record.nodes.delete(event.node);
        else record.nodes.set(event.node, event.state);
        break;
      default:
        this.#takePlay(event);
        this.#takeRollback(event);
        this.#takeTask(event);
    }
  }

  #takePlay(event: RunEvent): void {
    if (event.type === 'play-started') {
      // A resumed run starts its plays once more; they are still the same ones, and hosts may have joined.
      const known = this.#play(event.play);
      if (known) {
        Object.assign(known, { hosts: union(known.hosts, event.hosts), batches: event.batches });
        return;
      }
      this.record.plays.push({ ...event, failed: [], skippedBatches: 0, batchRecords: [], tasks: [] });
    } else if (event.type === 'play-ended') {
      const play = this.#play(event.play);
      if (play) Object.assign(play, { endedAt: event.at, failed: event.failed, skippedBatches: event.skippedBatches });
    } else if (event.type === 'batch-started') {
      const play = this.#play(event.play);
      const known = play?.batchRecords.find(({ batch }) => batch === event.batch);
      if (known) Object.assign(known, { hosts: union(known.hosts, event.hosts), of: event.of });
      else play?.batchRecords.push({ ...event, failed: [] });
    } else if (event.type === 'batch-ended') {
      const batch = this.#play(event.play)?.batchRecords.find((one) => one.batch === event.batch);
      if (batch) Object.assign(batch, { endedAt: event.at, failed: event.failed });
    }
  }

  #takeRollback(event: RunEvent): void {
    const { rollbacks } = this.record;
    if (event.type === 'rollback-started') rollbacks.push({ at: event.at, undos: [] });
    const rollback = rollbacks.at(-1);
    if (!rollback) return;
    if (event.type === 'undo-started') rollback.undos.push(event);
    else if (event.type === 'undo-ended') {
      const undo = rollback.undos.findLast(({ effect }) => effect === event.effect);
      if (undo) Object.assign(undo, { endedAt: event.at, ok: event.ok, message: event.message });
    } else if (event.type === 'rollback-ended') {
      Object.assign(rollback, { endedAt: event.at, ok: event.ok, message: event.message });
    }
  }

  #takeTask(event: RunEvent): void {
    if (event.type === 'task-started') {
      this.#begin(event);
      return;
    }
    if (event.type === 'task-ended') {
      const task = this.#open.get(`${event.host} ${event.task.id}`) ?? this.#begin(event);
      this.#open.delete(`${event.host} ${event.task.id}`);
      Object.assign(task, { endedAt: event.at, status: event.status, ended: event, task: event.task });
      return;
    }
    const task =
      'task' in event && typeof event.task === 'string' ? this.#open.get(`${event.host} ${event.task}`) : undefined;
    if (!task) return;
    if (event.type === 'task-progress') task.progress.push(event);
    else if (event.type === 'task-output') task.output[event.stream] += event.text;
    else if (event.type === 'item-ended') task.items.push(event);
    else if (event.type === 'task-retry') task.retries.push(event);
    else if (event.type === 'effect-started') task.effects.push({ at: event.at, undo: false });
    else if (event.type === 'effect-ended') {
      const effect = task.effects.at(-1);
      if (effect) Object.assign(effect, { ok: event.ok, undo: event.undo !== undefined });
    }
  }

  #underWay(): RunRecord['cutOffs'][number]['underWay'] {
    return [...this.#open.values()].map(({ host, task: { name }, effects }) => ({
      ...{ host, name, writing: effects.some(({ ok }) => ok === undefined) },
    }));
  }

  /** A rescue makes good what failed on the host since the rescue before it. */
  #rescue(host: string): void {
    for (const task of this.record.tasks) if (task.host === host && isFailure(task)) task.overcome = 'rescue';
  }

  #begin(event: Extract<RunEvent, { type: 'task-started' | 'task-ended' }>): TaskRecord {
    const { play, batch, host, task, at } = event;
    const begun: TaskRecord = {
      ...{ play, batch, host, task, startedAt: at, status: 'unfinished' },
      ...(event.type === 'task-started' && event.delegate !== undefined ? { delegate: event.delegate } : {}),
      ...{ items: [], retries: [], progress: [], output: { stdout: '', stderr: '' }, effects: [] },
    };
    if (this.record.resumedAt.length > 0) this.#supersede(host, task.id);
    this.#last.set(`${host} ${task.id}`, begun);
    this.record.tasks.push(begun);
    this.#play(play)?.tasks.push(begun);
    this.#open.set(`${host} ${task.id}`, begun);
    return begun;
  }

  /** After a resume a task begins once more: what came of it before is past. */
  #supersede(host: string, id: string): void {
    const earlier = this.#last.get(`${host} ${id}`);
    if (earlier && (isFailure(earlier) || earlier.status === 'unfinished')) earlier.overcome = 'resume';
  }

  #play(number: number): PlayRecord | undefined {
    return this.record.plays.find(({ play }) => play === number);
  }
}

function union(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])];
}

/** What a host came to: from the end of the run, or counted while there is none. */
export function recapOf(record: RunRecord): Record<string, HostRecap> {
  if (record.ended) return record.ended.recap;
  const recap: Record<string, HostRecap> = {};
  for (const { host, status, ended } of record.tasks) {
    recap[host] ??= { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 };
    if (status !== 'unfinished') recap[host][ended?.ignored ? 'ignored' : status]++;
  }
  return recap;
}

/** A failure that counts: neither ignored nor made good. */
export function isFailure({ status, ended, overcome }: TaskRecord): boolean {
  return (status === 'failed' || status === 'unreachable') && ended?.ignored !== true && overcome === undefined;
}

/** Milliseconds of the run: as it says itself, else from its first to its last event. */
export function durationOf(record: RunRecord): number {
  if (record.started === undefined) return record.ended?.duration ?? 0;
  const span = Date.parse(record.lastAt) - Date.parse(record.started.at);
  return record.ended && record.resumedAt.length === 0 ? record.ended.duration : span;
}
