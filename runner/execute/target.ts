import { batchScripts, checkBatchResult } from '../connect/file-batch.ts';
import {
  checkFileResult,
  readFileResult,
  readFileScript,
  restoreFileScript,
  writeFileScript,
  writtenFile,
} from '../connect/files.ts';
import { ReeveError } from '../errors.ts';
import type { LayeredScope } from '../language/scope.ts';
import { isUnknown } from '../language/unknown.ts';
import type {
  BatchFile,
  ClusterReader,
  ClusterWriter,
  FileUndo,
  HostFacts,
  HttpRequest,
  HttpResponse,
  JobOptions,
  ReadTarget,
  RunOptions,
  RunResult,
  ServerReadiness,
  SourceFile,
  SourceTree,
  WriteFileOptions,
  WriteTarget,
} from '../module.ts';
import { backupsOf } from '../module.ts';
import { canConnect } from './can-connect.ts';
import { EffectJobs } from './effect-jobs.ts';
import { gatherFacts, withFacts } from './gather.ts';
import { addressOf, plainScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { setNodeState } from './node-states.ts';
import type { EffectKey } from './recorded-effects.ts';
import type { RunState } from './run-state.ts';
import { interruptibleSleep } from './sleep.ts';
import type { Sources } from './sources.ts';
import { runThere, type Where } from './where.ts';

/** What a target needs to know of its task. */
export interface TargetParts {
  run: RunState;
  /** The host the task is for; its variables and name are the ones a module sees. */
  host: HostState;
  /** Where scripts run: the host itself or its delegate. */
  where: Where;
  scope: LayeredScope;
  sources: Sources;
  taskId: string;
  warnings: string[];
}

/** The host as plan sees it. It has no method that writes. */
export class ReadingTarget implements ReadTarget {
  protected readonly parts: TargetParts;
  protected readonly place: EffectKey;

  /** @param item label of the loop's item */
  constructor(parts: TargetParts, item?: string) {
    this.parts = parts;
    this.place = { host: parts.host.name, task: parts.taskId, ...(item === undefined ? {} : { item }) };
  }

  get begun(): unknown {
    return this.parts.run.replay?.effects.begun(this.place);
  }

  get host(): ReadTarget['host'] {
    const { run, host } = this.parts;
    return { name: host.name, address: addressOf(run, host), groups: [...host.groups] };
  }

  get nodeName(): string {
    return String(this.variable('node_name') ?? this.parts.host.name);
  }

  nodeIsWell(node: string, aspect: string): void {
    if (this.parts.run.nodes.get(node)?.has(aspect)) setNodeState(this.parts.run, node, aspect, undefined);
  }

  get byHand(): boolean {
    return this.parts.run.settings.byHand === true;
  }

  get runId(): string {
    return this.parts.run.emitter.run;
  }

  get signal(): AbortSignal {
    return this.parts.where.signal;
  }

  get stateDir(): string {
    return stateDirOf(this.parts);
  }

  variable(name: string): unknown {
    const value = this.parts.scope.has(name) ? this.parts.scope.get(name) : undefined;
    return isUnknown(value) ? undefined : value;
  }

  async read(script: string, options?: RunOptions): Promise<RunResult> {
    const { run, where } = this.parts;
    try {
      return await runThere(run, where, script, options);
    } catch (error) {
      // Lost on the way: what only reads may be sent once more. A host that cannot be reached at all stays so.
      if (!(error instanceof Error && 'mayHaveRun' in error && error.mayHaveRun) || where.signal.aborted) throw error;
      return runThere(run, where, script, options);
    }
  }

  async readFile(path: string): Promise<Buffer | undefined> {
    return readFileResult(path, await this.read(readFileScript(path)));
  }

  facts(options: { refresh?: boolean } = {}): Promise<HostFacts> {
    if (options.refresh) this.parts.where.host.gathering = undefined;
    return gatherFacts(this.parts.run, this.parts.where.host, this.parts.where);
  }

  source(path: string): Promise<SourceFile> {
    return this.parts.sources.file(path);
  }

  async renderSource(path: string): Promise<string | undefined> {
    const template = await this.parts.sources.template(path);
    const text = await withFacts(this.parts.run, () => template.render(this.parts.scope));
    return isUnknown(text) ? undefined : String(text);
  }

  async http(request: HttpRequest): Promise<HttpResponse> {
    // node:http alone takes some 40 ms to load, which most runs never need.
    const { fetchHttp } = await import('./http.ts');
    return fetchHttp(request, this.signal);
  }

  canConnect(host: string, port: number, timeout: number): Promise<boolean> {
    return canConnect(host, port, timeout, this.signal);
  }

  dropConnection(): Promise<void> {
    return this.parts.run.connections.drop(this.parts.where.spec);
  }

  cluster(): Promise<ClusterReader> {
    const { run, scope } = this.parts;
    return run.clusters.reader(run, scope, this);
  }

  serverReady(): Promise<ServerReadiness> {
    const { run, where } = this.parts;
    return run.clusters.serverReady(run, where.host, this.signal);
  }

  foreseen(key: string): unknown {
    return this.parts.run.foreseen[key];
  }

  sourceTree(path: string): Promise<SourceTree | undefined> {
    return this.parts.sources.tree(path);
  }

  get ask(): ReadTarget['ask'] {
    return this.parts.run.ask;
  }

  secret<T>(value: T): T {
    this.parts.run.masker.add(value);
    return value;
  }

  progress(message: string): void {
    const { run, host, taskId } = this.parts;
    run.emitter.emit({ type: 'task-progress', host: host.name, task: taskId, message });
  }

  warn(message: string): void {
    this.parts.warnings.push(message);
  }

  remaining(): number {
    return Math.max(0, this.parts.where.deadline - Date.now());
  }

  sleep(ms: number): Promise<void> {
    return interruptibleSleep(this.signal, ms);
  }
}

/** The host as apply sees it. */
export class WritingTarget extends ReadingTarget implements WriteTarget {
  /** What `recordUndo` was told last; an object, so that a target derived from this one tells it here. */
  readonly recorded: { undo?: unknown } = {};
  readonly jobs: EffectJobs;

  /** @param item label of the loop's item */
  constructor(parts: TargetParts, item?: string) {
    super(parts, item);
    this.jobs = new EffectJobs(parts, this.place, () => this.stateDir);
  }

  recordUndo(undo: unknown): void {
    this.recorded.undo = undo;
  }

  run(script: string, options?: RunOptions): Promise<RunResult> {
    return runThere(this.parts.run, this.parts.where, script, options);
  }

  async writeFile(path: string, content: Uint8Array | string, options: WriteFileOptions = {}): Promise<FileUndo> {
    const { backup = true, ...rest } = options;
    const request = { path, ...rest, ...(backup ? { backupDir: backupsOf(this) } : {}) };
    const { script, ...how } = writeFileScript(request, content);
    return writtenFile(request, await this.run(script, how));
  }

  async writeFiles(files: readonly BatchFile[]): Promise<void> {
    for (const { files: some, script, ...how } of batchScripts(files, this.stateDir)) {
      checkBatchResult(some, await this.run(script, how));
    }
  }

  async restoreFile(undo: FileUndo): Promise<void> {
    const { script, ...options } = restoreFileScript(undo);
    checkFileResult(undo.path, await this.run(script, options));
  }

  job(options: JobOptions): Promise<RunResult> {
    return this.jobs.run(options);
  }

  override cluster(): Promise<ClusterWriter> {
    const { run, scope } = this.parts;
    return run.clusters.writer(run, scope, this);
  }

  nodeState(node: string, state: string | undefined, aspect = 'k3s'): void {
    setNodeState(this.parts.run, node, aspect, state);
  }
}

/** Backups and jobs of a target live here: `reeve_dir`, else root's or the user's own place. */
function stateDirOf(parts: TargetParts): string {
  const host = parts.where.host;
  const set = plainScope(parts.run, host);
  const dir = set.has('reeve_dir') ? set.get('reeve_dir') : undefined;
  if (dir !== undefined && typeof dir !== 'string') {
    throw new ReeveError('invalid-connection', `${host.name}: the variable reeve_dir takes a path`, { exitCode: 4 });
  }
  return dir ?? (isRoot(parts.where) ? '/var/lib/reeve' : '~/.local/state/reeve');
}

/** Whether scripts run as root, as far as it is known without asking the host. */
function isRoot({ become, spec }: Where): boolean {
  if (become) return become.user === 'root';
  if (spec.transport === 'local') return process.getuid?.() === 0;
  return spec.transport === 'pct' || spec.user === 'root';
}
