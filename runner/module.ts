/**
 * The module contract: all that a module may import from the runner.
 *
 * A module is a plan (which only reads) and an apply (the only one that writes). Check mode is «apply is not called».
 */
import { type Place, ReeveError } from './errors.ts';
import type { ArgsOf, ObjectSchema } from './schema-types.ts';

export type { Place } from './errors.ts';
export { ReeveError } from './errors.ts';
export type { ArgsOf, JsonSchema, ObjectSchema } from './schema-types.ts';

/** One thing that differs from what is wanted. Reporters draw it; modules never format. */
export interface Change {
  /** One line: «/etc/motd: content», «k3s: restart». */
  summary: string;
  /** State before; a string is text that a diff can be made of. */
  before?: unknown;
  after?: unknown;
  /** A path for the header of a unified diff, when before and after are text. */
  path?: string;
  /** True when before or after hold a secret: they are left out of every event. */
  sensitive?: boolean;
}

/** What plan found. `next` is handed to apply as it is. */
export interface Plan<Next = unknown> {
  changes: Change[];
  /** State as found, in the shape of `returns`. */
  facts?: Record<string, unknown>;
  /** In check mode, what the facts will be after the change, as far as it is known; every other one becomes unknown. */
  predicted?: Record<string, unknown>;
  next?: Next;
  /** One line that says what was found, when there is nothing to change: «already v1.31.5+k3s1». */
  message?: string;
  /**
   * In check mode, what this change does to things that other tasks look at (`cordon/NAME`: true); they ask
   * `target.foreseen`.
   */
  foresees?: Record<string, unknown>;
  /**
   * Set when the plan cannot be made yet because of a change not yet applied; the task is reported as unknown. Outside of
   * check mode there is no such change, and the task fails with this text.
   */
  unknown?: string;
  /**
   * What `undo` needs, where it is known before the change: recorded with the announcement. A run that dies in the change
   * and goes on finds it as `target.begun`; what apply returns takes its place. Such a run can also be taken back at once:
   * `undo` must hold out when little or nothing was done.
   */
  undo?: unknown;
}

export interface Applied {
  facts?: Record<string, unknown>;
  message?: string;
  /** JSON that `undo` needs; recorded with the change. */
  undo?: unknown;
}

/** What is known of an undo before a rollback begins, from what was recorded. */
export interface UndoForecast {
  /**
   * Why it must not go back. What was done before it may be what it now rests on, so the whole rollback is refused.
   */
  refused?: string;
  hint?: string;
  /** What stays as it is all the same, a sentence each: «the pods that have left stay where they are». */
  stays?: string[];
}

export interface RunOptions {
  /** Fed to the script's standard input; default: empty. */
  stdin?: Uint8Array | string;
  /** milliseconds; default: the task's time limit. The script's whole process group ends with it. */
  timeout?: number;
  /**
   * For a command that the user chose rather than a script of reeve's own: it gets a session and output files of its
   * own, so that nothing it leaves in the background can disturb later tasks, and its output is followed live.
   */
  isolated?: boolean;
  /** Directory to run in (isolated only). */
  cwd?: string;
  /** Variables set for the script, on top of the task's `environment`. */
  env?: Record<string, string>;
  /**
   * Shell functions that the script calls, the same text each time: they are defined once in a shell, so that later
   * scripts are only the calls. They must print nothing and read nothing while they are defined.
   */
  functions?: string;
  /**
   * For a script that does not exit and leaves folder, options, traps and streams as they are: it runs in the shell itself,
   * which spares the fork of a subshell. Its variables stay.
   */
  inShell?: boolean;
}

/** What a script left. Output is exactly the bytes written; `stdout` and `stderr` are decoded as UTF-8. */
export interface RunResult {
  /** Exit code; 128 + signal when a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
  raw: { stdout: Buffer; stderr: Buffer };
  timedOut: boolean;
}

export interface WriteFileOptions {
  /** Octal text such as `0644`; default: the present file's, else 0644 less the umask. */
  mode?: string;
  owner?: string;
  group?: string;
  /** Keep a copy of the present file on the target for undo (default true). */
  backup?: boolean;
  /** Where that copy goes: for who must know it beforehand. Its folder is the run's own (`backupsOf`). */
  copyAs?: string;
  /** Command that must accept the new content before it takes its place; `%s` stands for the temporary file. */
  validate?: string;
  /**
   * The file as the plan saw it, or `absent`: with another content it is left alone (ReeveError `file-changed`). Saves
   * asking the target for what is known.
   */
  present?: 'absent' | { sha256: string; mode: string; owner: string; group: string };
}

/** One of many files; what is there now is always known. */
export interface BatchFile {
  /** Absolute. */
  path: string;
  content: Buffer;
  options: WriteFileOptions & { present: NonNullable<WriteFileOptions['present']> };
}

/** Directory on the target for what a run keeps of the files that it changes. */
export function backupsOf({ stateDir, runId }: Pick<ReadTarget, 'stateDir' | 'runId'>): string {
  return `${stateDir}/backups/${runId}`;
}

/** What undo needs to put a file back as it was. */
export interface FileUndo {
  path: string;
  /** Path of the copy on the target; absent when the file did not exist. */
  backup?: string;
  sha256?: string;
  mode?: string;
  owner?: string;
  group?: string;
}

/** Facts of a host, gathered by POSIX sh in one round trip when something first asks for them. */
export interface HostFacts {
  hostname: string;
  fqdn: string;
  kernel: string;
  kernel_version: string;
  architecture: string;
  os: { id: string; version: string; name: string; family: string };
  cpus: number;
  memory_mb: number;
  swap_mb: number;
  uptime_seconds: number;
  boot_id: string;
  ip_addresses: string[];
  default_ip: string;
  service_manager: 'systemd' | 'openrc' | 'none';
  package_manager: string;
  virtualization: string;
  user: string;
  uid: number;
  home: string;
  time: number;
  mounts: { path: string; device: string; type: string; size_kb: number; available_kb: number }[];
}

/** A file of the control machine that a task names, found relative to the playbook. */
export interface SourceFile {
  path: string;
  content: Buffer;
  /** Octal text. */
  mode: string;
}

/** A directory of the control machine with everything below it; paths are relative to it, parents come first. */
export interface SourceTree {
  path: string;
  /** `mode` is octal text. */
  directories: { path: string; mode: string }[];
  files: SourceFile[];
}

export interface HttpRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** milliseconds */
  timeout?: number;
  /** Follow redirects (default true). */
  redirect?: boolean;
  /** Verify TLS (default true). */
  verify?: boolean;
  /** PEM of a private certificate authority. */
  ca?: string;
}
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  url: string;
}

/** One request to the Kubernetes API. */
export interface ClusterRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/nodes/k3s-1` */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** For PATCH: default `application/merge-patch+json`. */
  contentType?: string;
  /** milliseconds for this one request; default 30 s. */
  timeout?: number;
  /**
   * A write that may safely reach the server twice: a patch to the same value, an eviction or a deletion with a uid
   * precondition. It is then retried like a read.
   */
  idempotent?: boolean;
  /**
   * Puts back what was changed: goes out even after the task's deadline or an interruption, for at most `timeout`
   * (default 30 s) in all.
   */
  cleanup?: boolean;
  /** Aborting ends the request and its retries: it rejects with the signal's reason. */
  signal?: AbortSignal;
}
/**
 * 401 and 403 are thrown as ReeveError `cluster-unauthorized` and `cluster-forbidden` (but for a namespace that is being
 * deleted, whose 403 is an answer).
 * `status` 404, 409, 429 … are answers, not exceptions; a lost connection is retried until the task's deadline. */
export interface ClusterResponse {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: API objects are open; modules narrow them where they read them.
  body: any;
}
// biome-ignore lint/suspicious/noExplicitAny: API objects are open; modules narrow them where they read them.
export type KubeObject = any;

export interface WatchOptions {
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** What is waited for, for the message at the deadline: «node k3s-1 to be Ready». */
  what?: string;
  /** Aborting ends the wait: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The cluster, reading only. Writes with `dryRun=All` are allowed here: they change nothing. */
export interface ClusterReader {
  /** The API server's URL, for messages. */
  readonly server: string;
  /** Only GET, or a write whose query holds `dryRun: 'All'`. Throws ReeveError `cluster-unreachable` at the deadline. */
  read(request: ClusterRequest): Promise<ClusterResponse>;
  /** All pages of a list. */
  list(path: string, query?: Record<string, string | number | boolean | undefined>): Promise<KubeObject[]>;
  /**
   * Lists, then watches, and lists again after a drop, calling `inspect` with all current objects after every change,
   * until it returns something other than undefined. Rejects with ReeveError `deadline` after `timeout` milliseconds.
   */
  until<T>(options: WatchOptions, inspect: (objects: KubeObject[]) => T | undefined, timeout: number): Promise<T>;
}
export interface ClusterWriter extends ClusterReader {
  /**
   * Any request. Retried by itself while it cannot have reached the server (and on 429, but for evictions); once it may
   * have, only when it is `idempotent`, else ReeveError `cluster-write-lost`.
   */
  write(request: ClusterRequest): Promise<ClusterResponse>;
}

/** The answer of one server's own health check. */
export interface ServerReadiness {
  ready: boolean;
  /** What it said, or why there was no answer. */
  detail: string;
}

/** A long write that must outlive the connection: it runs from a folder on the target and can be attached to again. */
export interface JobOptions {
  /** Part of the folder's name; one job a name and task is running at a time. */
  name: string;
  script: string;
  stdin?: Uint8Array | string;
  env?: Record<string, string>;
  /** milliseconds; the job's process group is ended then. */
  timeout: number;
}

/** The host as plan sees it: nothing here writes. */
export interface ReadTarget {
  readonly host: { name: string; address: string; groups: string[] };
  /** Name of the Kubernetes node: the variable `node_name`, else the host's name. */
  readonly nodeName: string;
  /** The host's variables, rendered. Secrets are in it. */
  variable(name: string): unknown;
  /** Runs a script that only reads. */
  read(script: string, options?: RunOptions): Promise<RunResult>;
  /** Bytes of a file on the target; undefined when it does not exist. */
  readFile(path: string): Promise<Buffer | undefined>;
  /** Gathered once a run; `refresh` asks the host again. */
  facts(options?: { refresh?: boolean }): Promise<HostFacts>;
  /** Directory on the target for backups and jobs of this run. */
  readonly stateDir: string;
  /** A file of the control machine, relative to the playbook (`files/` and `templates/` beside it are looked in too). */
  source(path: string): Promise<SourceFile>;
  /** A directory of the control machine, found like `source` finds a file; undefined when the path is a file. */
  sourceTree?(path: string): Promise<SourceTree | undefined>;
  /** The file rendered as a template with the task's variables. Undefined when it depends on an unknown value. */
  renderSource(path: string): Promise<string | undefined>;
  /** An HTTP request from the control machine. Throws ReeveError `http-unreachable`. */
  http(request: HttpRequest): Promise<HttpResponse>;
  /** Whether a TCP connection from the control machine to there is accepted within `timeout` milliseconds. */
  canConnect?(host: string, port: number, timeout: number): Promise<boolean>;
  cluster(): Promise<ClusterReader>;
  /** Asks the Kubernetes API server on this very host for its `/readyz`, once. Never throws for one that is away. */
  serverReady(): Promise<ServerReadiness>;
  /** In check mode, what an earlier plan foresees under this key; undefined when none does, and in a real run. */
  foreseen(key: string): unknown;
  /** Marks a value as secret: it is masked wherever it turns up from now on. Returns it. */
  secret<T>(value: T): T;
  /** Asks the person at the terminal and gives the line typed. Absent when nobody is there to answer. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** Forgets the connections to the host, so that the next call connects anew: for a host that restarts. */
  dropConnection?(): Promise<void>;
  /** One line of progress for whoever is watching. */
  progress(message: string): void;
  warn(message: string): void;
  /** milliseconds left before the task's deadline. */
  remaining(): number;
  /** Aborted by the deadline and by a second Ctrl-C. */
  readonly signal: AbortSignal;
  /** Resolves after `ms`, or rejects when the signal aborts. */
  sleep(ms: number): Promise<void>;
  /**
   * Set when an earlier process of the run has died in this very change: the `undo` of its plan. What is found now may be of
   * its making.
   */
  readonly begun?: unknown;
  /** A plan finds nothing wrong with this aspect of a node: what an earlier process of the run said of it is over. */
  nodeIsWell(node: string, aspect: 'cordon' | 'k3s' | 'boot'): void;
  /** A person gave this one task (`reeve exec`): the state that it leaves is meant to stay, and is that person's. */
  readonly byHand: boolean;
  /** Identifies the run: written into annotations so that the next run knows its own traces. */
  readonly runId: string;
}

/** The host as apply sees it. */
export interface WriteTarget extends ReadTarget {
  run(script: string, options?: RunOptions): Promise<RunResult>;
  /** Writes a file atomically: temporary file beside it, owner and mode set before the rename. One round trip. */
  writeFile(path: string, content: Uint8Array | string, options?: WriteFileOptions): Promise<FileUndo>;
  /**
   * Writes many files as writeFile does, the small ones of a folder together. What undo needs is known beforehand: a copy is
   * kept where `copyAs` says so, under the name that the file has. Those before one that fails are written.
   */
  writeFiles(files: readonly BatchFile[]): Promise<void>;
  /** Takes back what writeFile did. */
  restoreFile(undo: FileUndo): Promise<void>;
  /** Runs a script detached from the connection and waits for it, attaching again after a drop. */
  job(options: JobOptions): Promise<RunResult>;
  cluster(): Promise<ClusterWriter>;
  /**
   * Says what `undo` needs before apply is at its end: it is recorded with the change also when apply fails later on. What
   * apply returns takes its place.
   */
  recordUndo?(undo: unknown): void;
  /**
   * Says what a node is left in (`cordoned`, `half upgraded`), or undefined when it is as it should be. States of different
   * aspects stand beside each other: an upgrade that ends well leaves the cordon as it is.
   */
  nodeState(node: string, state: string | undefined, aspect?: 'cordon' | 'k3s' | 'boot'): void;
}

/** One expression of an argument named in `expressions`, evaluated for the host. */
export interface Evaluated {
  /** As written. A value that was a boolean already is written as `true` or `false`. */
  expression: string;
  /** `unknown` in check mode, when it depends on a change not yet applied. */
  value: boolean | 'unknown';
  /** What the names in the expression stood for, for the message: `{ 'node.ready': false }`. */
  names?: Record<string, unknown>;
}

/** An example that a test validates and plans. */
export interface ModuleExample {
  title: string;
  /** One task's module key and arguments: `service: { name: k3s }`. */
  yaml: string;
}

export interface ModuleDefinition<S extends ObjectSchema = ObjectSchema, Next = unknown, Undo = unknown> {
  name: string;
  /** One sentence. */
  description: string;
  args: S;
  /** When given, a plain string (`command: uptime`) fills this argument. */
  shorthand?: string;
  examples: ModuleExample[];
  /** state: plan after apply is empty. action: does something each time its guard allows it. check: never changes. */
  kind: 'state' | 'action' | 'check';
  /** For actions: the sentence in the docs that says when it runs. */
  guard?: string;
  /** JSON Schema of the facts that `register` gets beside `changed`, `failed`, `skipped`, `message`. */
  returns: ObjectSchema;
  /** Where it works: `host` needs a shell on the target; `control` none; `cluster` the Kubernetes API. Default host. */
  on?: 'host' | 'control' | 'cluster';
  /** Programs that a target needs beside sh and the POSIX applets every module relies on. */
  needs?: string[];
  /** Longer prose for the docs page, Markdown. */
  notes?: string;
  /**
   * Arguments whose text is CEL rather than a template. `args` describes them as they are written (a string, a boolean,
   * or a list of these); plan is handed a list of `Evaluated`, one for each, also when only one was written.
   */
  expressions?: readonly string[];
  /** Arguments that name a template on the control machine: it is read and checked before anything runs. */
  templateSources?: readonly string[];
  /** The facts become variables of the host, for the tasks after it and for other hosts to read. */
  setsVariables?: boolean;
  /**
   * For modules that wait. In check mode the engine says «would wait for …» instead of calling plan: always when
   * `inCheck` is `never`, and once something before the task is pending when it is `unless-pending`. `what` gives
   * undefined for arguments with which it only looks.
   */
  waits?: { inCheck: 'never' | 'unless-pending'; what(args: ArgsOf<S>): string | undefined };
  /**
   * For actions: true for arguments with which it only looks (`reads`, a GET), so that plan does all of it, in check mode too.
   * What it finds is not held against it there once something is pending that may change that.
   */
  looks?(args: Record<string, unknown>): boolean;
  /** What it does cannot be told beforehand (a command): in check mode the task is unknown, not only changed. */
  unpredictable?: boolean;
  /** For state modules: true for the arguments that make it an action (`service` with `state: restarted`). */
  isAction?(args: ArgsOf<S>): boolean;
  /** Pending handlers run at this point. */
  flushesHandlers?: boolean;
  /** Checks beyond the schema, before any connection: returns a message, or undefined. */
  check?(args: Record<string, unknown>): string | undefined;
  plan(args: ArgsOf<S>, target: ReadTarget): Promise<Plan<Next>>;
  apply?(next: Next, target: WriteTarget): Promise<Applied>;
  /** Takes a change back. A rollback that is killed in it calls it again: doing it twice must be harmless. */
  undo?(undo: Undo, target: WriteTarget): Promise<void>;
  /** Says before a rollback what `undo` will refuse and what it leaves. Default: it goes back, and nothing stays. */
  foreseeUndo?(undo: Undo): UndoForecast;
  /** For a module that changes something and has no `undo`: why, as a rollback says it beforehand. */
  noUndo?: string;
  /** What `undo` needs shows what was changed (an object of the API): with `no_log` it is not recorded. */
  undoShowsContent?: boolean;
}

/** A module whose types are forgotten: what the registry holds. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds modules of every argument type.
export type AnyModule = ModuleDefinition<any, any, any>;

/** Gives a module its types; the object itself is returned. */
export function defineModule<const S extends ObjectSchema, Next = unknown, Undo = unknown>(
  definition: ModuleDefinition<S, Next, Undo>,
): ModuleDefinition<S, Next, Undo> {
  return definition;
}

/** The task failed for a reason that the module understands. `facts` still reach `register`. */
export class TaskFailure extends ReeveError {
  readonly facts: Record<string, unknown>;

  constructor(
    message: string,
    options: {
      hint?: string | undefined;
      facts?: Record<string, unknown>;
      code?: string;
      cause?: unknown;
      place?: Place;
    } = {},
  ) {
    super(options.code ?? 'task-failed', message, {
      hint: options.hint,
      cause: options.cause,
      place: options.place,
      exitCode: 2,
    });
    this.facts = options.facts ?? {};
  }
}
