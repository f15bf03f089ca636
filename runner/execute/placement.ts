import type { Become } from '../connect/types.ts';
import { EXIT, ReeveError } from '../errors.ts';
import { MaskedStream } from '../journal/masked-stream.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { Compiled } from '../language/types.ts';
import { findUnknown, type Unknown } from '../language/unknown.ts';
import { becomeFromVariables, becomeSpec, connectionSetting } from './connection-spec.ts';
import type { Effective } from './context.ts';
import { withFacts } from './gather.ts';
import { plainScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { hostState, type RunState } from './run-state.ts';
import type { TargetParts } from './target.ts';
import { DEFAULT_TASK_TIMEOUT, type TaskRun } from './task-run.ts';
import { CONTROL_HOST, specOf } from './where.ts';

/** A task put in its place: where its scripts run, as whom, with what environment, until when. */
export interface Placed {
  target: TargetParts;
  scope: LayeredScope;
  /** Stops the clock, and shows what was held back of the output. */
  release(): void;
}

/** What says where a task runs depends on something that has not been done (check mode). */
class PlaceUnknown extends Error {
  readonly unknown: Unknown;
  constructor(unknown: Unknown) {
    super(unknown.because);
    this.unknown = unknown;
  }
}

/**
 * Puts a task in its place; gives Unknown where that is not known yet.
 * @throws ReeveError when there is no such delegate or a setting makes no sense.
 */
export async function placeTask(taskRun: TaskRun, scope: LayeredScope): Promise<Placed | Unknown> {
  try {
    return await place(taskRun, scope);
  } catch (error) {
    if (error instanceof PlaceUnknown) return error.unknown;
    throw error;
  }
}

async function place(taskRun: TaskRun, scope: LayeredScope): Promise<Placed> {
  const { context, host, settings, id } = taskRun;
  const { run } = context;
  const there = await placeHost(run, settings, scope, host);
  const become = await placeBecome(run, settings, scope, there);
  const environment = await placeEnvironment(run, settings, scope);
  // Before the clock runs: a setting that makes no sense would leave it running.
  const spec = specOf(run, there);
  const limit = settings.timeout ?? DEFAULT_TASK_TIMEOUT;
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new DOMException('time limit', 'TimeoutError')), limit);
  // Not AbortSignal.any: the run's signal kept each of its 200,000 for 10,000 hosts and 20 tasks.
  const interrupt = run.interrupt.signal;
  const stop = () => clock.abort(interrupt.reason);
  if (interrupt.aborted) stop();
  else interrupt.addEventListener('abort', stop, { once: true });
  const outputs = { stdout: outputOf('stdout'), stderr: outputOf('stderr') };
  function outputOf(stream: 'stdout' | 'stderr'): MaskedStream {
    const show = (text: string) => run.emitter.emit({ type: 'task-output', host: host.name, task: id, stream, text });
    return new MaskedStream(run.masker, show);
  }
  const emitOutput = (stream: 'stdout' | 'stderr', text: Buffer) => {
    if (!settings.noLog) outputs[stream].push(text);
  };
  return {
    scope,
    release: () => {
      clearTimeout(timer);
      interrupt.removeEventListener('abort', stop);
      for (const output of Object.values(outputs)) output.end();
    },
    target: {
      run,
      host,
      scope,
      sources: context.sources,
      taskId: id,
      warnings: taskRun.warnings,
      where: {
        host: there,
        spec,
        become,
        environment,
        deadline: Date.now() + limit,
        signal: clock.signal,
        onOutput: emitOutput,
      },
    },
  };
}

async function placeHost(run: RunState, settings: Effective, scope: LayeredScope, host: HostState): Promise<HostState> {
  const name = await rendered(run, settings.delegateTo, scope);
  if (name === undefined) return host;
  const known =
    typeof name === 'string' && (run.inventory.hosts.has(name) || name === CONTROL_HOST || name === '127.0.0.1');
  if (!known) {
    throw new ReeveError('unknown-delegate', `delegate_to names ${String(name)}, which is no host of the inventory`, {
      exitCode: EXIT.taskFailed,
    });
  }
  return hostState(run, name === '127.0.0.1' && !run.inventory.hosts.has(name) ? CONTROL_HOST : (name as string));
}

async function placeBecome(
  run: RunState,
  settings: Effective,
  scope: LayeredScope,
  there: HostState,
): Promise<Become | undefined> {
  const variables = plainScope(run, there);
  const own = becomeFromVariables(variables);
  const wanted = (await rendered(run, settings.become, scope)) ?? own.become;
  if (wanted !== true) return undefined;
  const user = (await rendered(run, settings.becomeUser, scope)) ?? own.user;
  const method = (await rendered(run, settings.becomeMethod, scope)) ?? own.method;
  const password = connectionSetting(variables, 'becomePassword', (value) => run.masker.add(value));
  return becomeSpec(there.name, String(user), String(method), password);
}

async function placeEnvironment(
  run: RunState,
  settings: Effective,
  scope: LayeredScope,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const level of settings.environments) {
    const values = (await rendered(run, level, scope)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(values)) environment[name] = String(value);
  }
  return environment;
}

async function rendered(run: RunState, compiled: Compiled | undefined, scope: LayeredScope): Promise<unknown> {
  if (!compiled) return undefined;
  const value = await withFacts(run, () => compiled.render(scope));
  const unknown = findUnknown(value);
  if (unknown) throw new PlaceUnknown(unknown);
  return value;
}
