import type { Place } from '../errors.ts';
import type { Compiled, Definition, Expression } from '../language/types.ts';
import type { Document, Located } from '../load/document.ts';
import type { JsonSchema } from '../schema-types.ts';

/** Variable definitions of one level, by name; values may hold templates and are resolved when first used. */
export type Definitions = Record<string, Definition>;

export interface InputSpec extends JsonSchema {
  secret?: boolean;
  /** Asked on a terminal when the input is missing; without a terminal it is an error. */
  prompt?: string;
  required?: never;
}

export interface Playbook {
  file: string;
  document: Document;
  /** Folder that relative paths (sources, includes) start from. */
  directory: string;
  name: string;
  description?: string;
  /** Written into the action log of every run. */
  notes: string[];
  inputs: Record<string, InputSpec & { place: Place }>;
  vars: Definitions;
  plays: Play[];
  /** Who or what must approve of the plan: a template, empty where nobody must. */
  approval?: Compiled;
  /** The lock's name, a template; a run without it may run beside others. */
  lock?: Compiled;
}

/** `serial`, as written: counts and percents, the last one repeated. */
export type BatchSize = number | `${number}%`;

export interface Play extends Inherited {
  name: string;
  place: Place;
  /** Template that gives a host pattern. */
  hosts: Compiled;
  serial?: Compiled; // → BatchSize | BatchSize[]
  maxFailPercentage?: number;
  anyErrorsFatal: boolean;
  /** What happens when hosts failed in it; `stop`, or what the run's command line says. */
  onFailure?: 'stop' | 'continue' | 'rollback' | 'pause';
  order: 'inventory' | 'reverse_inventory' | 'sorted' | 'reverse_sorted' | 'shuffle';
  strategy: 'linear' | 'free';
  forceHandlers: boolean;
  gatherFacts: boolean;
  /** A question to a person before the play starts; `--yes` answers it. */
  confirm?: Compiled;
  preTasks: Step[];
  tasks: Step[];
  postTasks: Step[];
  handlers: Task[];
  /** Runs once after every batch, the last one included; sees `batch.hosts`. */
  gate: Step[];
  /** What `reeve rollback` runs for this play after its changes are undone. */
  rollback: Step[];
}

/** What a play, block or task may say and everything inside inherits. */
export interface Inherited {
  vars: Definitions;
  tags: string[];
  environment?: Compiled; // → Record<string, string>
  become?: Compiled; // → boolean
  becomeUser?: Compiled;
  becomeMethod?: Compiled;
  ignoreErrors?: Expression | boolean;
  noLog?: boolean;
  /** false: planned only. true is refused under --check for commands that do not declare `reads`. */
  checkMode?: boolean;
  diff?: boolean;
  throttle?: number;
  /** milliseconds */
  timeout?: number;
  delegateTo?: Compiled;
  runOnce?: boolean;
}

/** What a block and a task share beyond what they inherit. */
export interface StepBase extends Inherited {
  /** Stable within the playbook's text: `plays[0].tasks[3]`. */
  id: string;
  name: Compiled;
  place: Place;
  /** All must be true. */
  when: Expression[];
  /** A list or mapping, or an expression that gives one. */
  loop?: Compiled | Expression;
  loopControl?: { item?: string; index?: string; label?: Compiled; pause?: number };
  until?: Expression[];
  /** Tries after the first; default 3 with `until`. */
  retries?: Compiled;
  /** milliseconds between tries; `backoff` multiplies it each time. */
  delay?: Compiled;
  backoff?: number;
  notify: Compiled[];
}

export interface Task extends StepBase {
  kind: 'task';
  module: string;
  /** The arguments as written, compiled; a shorthand string is already an object. */
  args: Compiled;
  argsAt: Located;
  register?: string;
  changedWhen?: Expression[] | boolean;
  failedWhen?: Expression[] | boolean;
  /** Handlers only: further names it answers to. */
  listen: string[];
}

/** A block, and also an include: the tasks of another file, with variables. */
export interface Block extends StepBase {
  kind: 'block';
  steps: Step[];
  rescue: Step[];
  always: Step[];
  /** Set when the steps come from an included file. */
  include?: string;
}

export type Step = Task | Block;
