import type { Place } from './errors.ts';
import type { Change } from './module.ts';
import type { Outline } from './outline.ts';

/** The version of the event schema; readers accept older ones. */
export const EVENT_VERSION = 1;

/** How a task ended on one host. */
export type TaskStatus =
  | 'ok' // ran, nothing to change
  | 'changed' // changed something, or would in check mode
  | 'skipped' // its condition was false
  | 'unknown' // check mode: depends on a change not yet applied
  | 'failed'
  | 'unreachable';

/** Names a task in every event about it. `id` is stable for one playbook text: its path in the document. */
export interface TaskReference {
  id: string;
  name: string;
  module: string;
  /** Of its module: whether it can change anything. */
  kind?: 'state' | 'action' | 'check';
  /** `tasks`, `handlers`, `gate`, … */
  section: string;
  place?: Place;
}

export interface HostRecap {
  ok: number;
  changed: number;
  unknown: number;
  skipped: number;
  failed: number;
  unreachable: number;
  rescued: number;
  ignored: number;
}

export interface RunStarted {
  type: 'run-started';
  playbook: string;
  name: string;
  inventory: string[];
  check: boolean;
  diff: boolean;
  reeve: string;
  inputs: Record<string, unknown>;
  /** What the playbook says that it does. */
  description?: string;
}
export interface PlayStarted {
  type: 'play-started';
  play: number;
  name: string;
  hosts: string[];
  batches: number;
}
export interface BatchStarted {
  type: 'batch-started';
  play: number;
  batch: number;
  of: number;
  hosts: string[];
}
export interface TaskStarted {
  type: 'task-started';
  play: number;
  batch: number;
  host: string;
  task: TaskReference;
  /** The host the task really runs on, when delegated. */
  delegate?: string;
}
/** On disk before the effect begins: from here on the host may be changed. */
export interface EffectStarted {
  type: 'effect-started';
  host: string;
  task: string;
  item?: string;
  changes: Change[];
  /** The host that it really happens on, when delegated. */
  delegate?: string;
  /** What the module needs to take it back, where the plan knew it. */
  undo?: unknown;
}
/** The effect ended; `undo` is what the module needs to take it back. */
export interface EffectEnded {
  type: 'effect-ended';
  host: string;
  task: string;
  item?: string;
  ok: boolean;
  undo?: unknown;
  /** Of actions: what the task will register. A run that dies before the task has ended need not do it again. */
  result?: Record<string, unknown>;
}
/** One line of progress of a running task: «evicted shop/web-1 (3 of 7)». */
export interface TaskProgress {
  type: 'task-progress';
  host: string;
  task: string;
  message: string;
}
/** Live output of a running command. */
export interface TaskOutput {
  type: 'task-output';
  host: string;
  task: string;
  stream: 'stdout' | 'stderr';
  text: string;
}
/** One round of a retried task or one item of a loop ended. */
export interface ItemEnded {
  type: 'item-ended';
  host: string;
  task: string;
  item: string;
  /** Its number in the loop, from 0. */
  index?: number;
  status: TaskStatus;
  message?: string;
  changes?: Change[];
  /** What the module was told for it, without defaults. */
  args?: Record<string, unknown>;
  /** What the item adds to `results` of the register; masked. */
  result?: Record<string, unknown>;
}
/** A block's rescue has saved the host from a failure: the failed task is over and done with. */
export interface HostRescued {
  type: 'host-rescued';
  host: string;
  /** Id of the block. */
  block: string;
}
/** A block with a `rescue` or an `always` has failed on a host for good: its `always` follows, and no round or rescue. */
export interface BlockFailed {
  type: 'block-failed';
  host: string;
  /** Id of the block. */
  block: string;
}
/** A process of the run holds a lock from here on, until it says otherwise, is killed, or somebody breaks the lock. */
export interface LockTaken {
  type: 'lock-taken';
  /** As people write it: `upgrade`, `upgrade@bastion`. */
  lock: string;
}
/** The run does not hold it any more. */
export interface LockReleased {
  type: 'lock-released';
  lock: string;
}
/** Somebody takes the changes of the run back. */
export interface RollbackStarted {
  type: 'rollback-started';
  /** How many changes go back. */
  steps: number;
  /** How many plays, from the first on, stay as they are; none when it is not there. */
  keeps?: number;
}
export interface UndoStarted {
  type: 'undo-started';
  /** Number of the `effect-ended` event whose change goes back; of `effect-started` when the run died in it. */
  effect: number;
  host: string;
  task: TaskReference;
  changes: Change[];
}
export interface UndoEnded {
  type: 'undo-ended';
  effect: number;
  host: string;
  task: TaskReference;
  ok: boolean;
  message?: string;
}
export interface RollbackEnded {
  type: 'rollback-ended';
  ok: boolean;
  message?: string;
  /** What to do about it. */
  hint?: string;
}
/** A run that had ended or died goes on, under the same id. */
export interface RunResumed {
  type: 'run-resumed';
  reeve: string;
  /** Why the playbook or inventory may differ from what was run before. */
  acceptedChanges?: boolean;
  /** What runs from here on, when it is not what was run before. */
  outline?: Outline;
  /** Plays that were done and have changed since: nothing of them is looked at any more. */
  past?: number[];
  /** Where steps stand that stood elsewhere before; null for those that are gone. */
  renamed?: Renamed;
  /** What it goes on with from here on, when other values were given than before. */
  given?: GivenValues;
  /** The approval of what runs from here on, when it is not that of what was run before. */
  approved?: string;
}
/** Values that a command line gave, as far as they are no secrets. */
export interface GivenValues {
  /** Of the inputs, without the secret ones. */
  inputs: Record<string, unknown>;
  /** Secret inputs that had another value than their default. */
  secretInputs: string[];
  extraVars: Record<string, unknown>;
}
/** Ids of steps: where they stood → where they stand. */
export type Renamed = Record<string, string | null>;
export interface TaskRetry {
  type: 'task-retry';
  host: string;
  task: string;
  attempt: number;
  of: number;
  delay: number;
  message: string;
}
export interface TaskEnded {
  type: 'task-ended';
  play: number;
  batch: number;
  host: string;
  task: TaskReference;
  status: TaskStatus;
  /** milliseconds */
  duration: number;
  /** Why it was skipped, is unknown, or failed; or what it found. */
  message?: string;
  changes: Change[];
  /** What the module was told, without defaults; of a loop each item has its own; absent where it did not come to that. */
  args?: Record<string, unknown>;
  /** What `register` gets; masked. */
  result?: Record<string, unknown>;
  ignored?: boolean;
  rescued?: boolean;
  /** The task's own wish to show differences, whatever `--diff` says. */
  diff?: boolean;
  warnings?: string[];
  error?: { code: string; message: string; place?: Place; hint?: string };
}
export interface HandlerNotified {
  type: 'handler-notified';
  host: string;
  handler: string;
  by: string;
}
/** Handlers of a failed host that did not run; resume runs them. */
export interface HandlersPending {
  type: 'handlers-pending';
  host: string;
  handlers: string[];
}
/** What a run did to a cluster's node that outlives the task: cordoned, half upgraded. Shown on Ctrl-C and in the recap. */
export interface NodeState {
  type: 'node-state';
  node: string;
  state: string;
  /** The same by what it is about: `cordon`, `k3s`. Whoever goes on with the run starts with these. */
  aspects?: Record<string, string>;
}
/** Which API server was asked, and how. */
interface AskedServer {
  /** The names of all ways that the run has to this cluster; the API is away when none of them answers. */
  cluster: string;
  /** Its address. */
  server: string;
  /** The host that the question went through, or `kubeconfig`. */
  via: string;
}
/** From here to the end of the run an API server is asked whether it answers. */
export interface ApiWatched extends AskedServer {
  type: 'api-watched';
  /** milliseconds from one question to the next. */
  interval: number;
}
/** An API server does not answer any more. */
export interface ApiUnavailable extends AskedServer {
  type: 'api-unavailable';
  /** When the first question without an answer was asked. */
  from: string;
  detail: string;
}
/** It answers again. */
export interface ApiAvailable extends AskedServer {
  type: 'api-available';
  from: string;
  /** When the first question with an answer was asked. */
  until: string;
  /** milliseconds, by a clock that does not jump. */
  duration: number;
}
export interface Notice {
  type: 'notice';
  level: 'info' | 'warning' | 'error';
  message: string;
  host?: string;
  place?: Place;
  hint?: string;
}
/** What a person, or the playbook's `notes`, has to say about the run; also after its end. */
export interface Note {
  type: 'note';
  text: string;
  /** Who said it; absent for the playbook's own notes. */
  by?: string;
}
export interface BatchEnded {
  type: 'batch-ended';
  play: number;
  batch: number;
  failed: string[];
}
export interface PlayEnded {
  type: 'play-ended';
  play: number;
  failed: string[];
  /** Batches that were not started because of failures before them. */
  skippedBatches: number;
}
export interface RunEnded {
  type: 'run-ended';
  exitCode: number;
  outcome: 'done' | 'failed' | 'unreachable' | 'refused' | 'interrupted' | 'error';
  message?: string;
  hint?: string;
  place?: Place;
  /** milliseconds */
  duration: number;
  recap: Record<string, HostRecap>;
  nodes: Record<string, string>;
}

export type EventBody =
  | RunStarted
  | PlayStarted
  | BatchStarted
  | TaskStarted
  | EffectStarted
  | EffectEnded
  | TaskProgress
  | TaskOutput
  | ItemEnded
  | HostRescued
  | BlockFailed
  | RunResumed
  | LockTaken
  | LockReleased
  | RollbackStarted
  | UndoStarted
  | UndoEnded
  | RollbackEnded
  | TaskRetry
  | TaskEnded
  | HandlerNotified
  | HandlersPending
  | NodeState
  | ApiWatched
  | ApiUnavailable
  | ApiAvailable
  | Notice
  | Note
  | BatchEnded
  | PlayEnded
  | RunEnded;

/** One line of the journal and of `--output json`. */
export type RunEvent = EventBody & {
  v: typeof EVENT_VERSION;
  /** Counts from 1 within the run, without gaps. */
  seq: number;
  /** UTC, ISO 8601 with milliseconds. */
  at: string;
  run: string;
};

/** Takes events in order. A reporter is one; so is the journal. */
export interface EventSink {
  handle(event: RunEvent): void;
  /** True for the journal: it must not get an event twice. */
  readonly records?: boolean;
  /** Resolves when everything handled so far is where it belongs (on disk, on the terminal). */
  flush?(): Promise<void>;
  close?(): Promise<void>;
}
