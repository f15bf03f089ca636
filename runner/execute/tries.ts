import { EXIT, ReeveError } from '../errors.ts';
import { parseDuration } from '../language/duration.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { Compiled, Expression } from '../language/types.ts';
import { isUnknown, type Unknown } from '../language/unknown.ts';
import type { Task } from '../playbook/model.ts';
import { type AttemptParts, attempt } from './attempt.ts';
import { allTrue, scopeFor } from './conditions.ts';
import type { StepContext } from './context.ts';
import { withFacts } from './gather.ts';
import { type Attempt, failedAttempt, unknownAttempt } from './outcome.ts';
import { placeTask } from './placement.ts';
import { interruptibleSleep } from './sleep.ts';
import { asReeveError, type TaskRun } from './task-run.ts';

/** Tries until `until` is true (or, without it, once), then applies changed_when and failed_when. */
export async function retriedTask(
  taskRun: TaskRun,
  locals: Record<string, unknown>,
  item: string | undefined,
): Promise<Attempt> {
  const { context, task, host } = taskRun;
  const scope = scopeFor(context, task, host, locals);
  const tries = task.until || task.retries ? 1 + (await wholeNumber(context, task.retries, scope, 3)) : 1;
  let delay = await milliseconds(context, task.delay, scope, 5_000);
  for (let n = 1; ; n++) {
    const done = await judged(taskRun, locals, item);
    if (done.status === 'unknown' || tries === 1) return done;
    const settled = await untilTrue(taskRun, locals, done);
    if (isUnknown(settled)) return unknownAttempt(taskRun.module, settled.because);
    if (settled) return { ...done, result: { ...done.result, attempts: n } };
    if (n >= tries || context.run.interrupt.requested || done.status === 'unreachable') return givenUp(done, n, task);
    const message = done.message ?? 'not yet as wanted';
    context.run.emitter.emit({
      type: 'task-retry',
      host: host.name,
      task: taskRun.id,
      attempt: n,
      of: tries,
      delay,
      message,
    });
    await interruptibleSleep(context.run.interrupt.signal, delay);
    delay *= task.backoff ?? 1;
  }
}

async function untilTrue(taskRun: TaskRun, locals: Record<string, unknown>, done: Attempt): Promise<boolean | Unknown> {
  const { context, task, host } = taskRun;
  if (!task.until) return done.status !== 'failed';
  return allTrue(context.run, task.until, scopeFor(context, task, host, { ...locals, ...registered(task, done) }));
}

function givenUp(done: Attempt, tries: number, task: Task): Attempt {
  if (done.status === 'failed' || done.status === 'unreachable')
    return { ...done, result: { ...done.result, attempts: tries } };
  const condition = task.until?.map((e) => e.text).join(' && ') ?? '';
  const error = new ReeveError('retries-exhausted', `still not true after ${tries} tries: ${condition}`, {
    place: task.place,
    exitCode: EXIT.taskFailed,
  });
  return {
    ...failedAttempt(error),
    changes: done.changes,
    result: { ...done.result, failed: true, message: error.message, attempts: tries },
  };
}

/** One attempt, and what changed_when and failed_when make of it. */
async function judged(taskRun: TaskRun, locals: Record<string, unknown>, item: string | undefined): Promise<Attempt> {
  const { context, task, host, module, id } = taskRun;
  const placed = await placeTask(taskRun, scopeFor(context, task, host, locals));
  let done: Attempt;
  const parts: AttemptParts = {
    run: context.run,
    task,
    module,
    target: placed.target,
    scope: placed.scope,
    planOnly: context.run.settings.check || taskRun.settings.checkMode === true,
    noLog: taskRun.settings.noLog === true,
    delegated: taskRun.settings.delegateTo !== undefined,
    id,
    name: taskRun.reference.name,
    ...(item === undefined ? {} : { item }),
  };
  try {
    done = await attempt(parts);
  } catch (error) {
    done = failedAttempt(asReeveError(error, taskRun));
  } finally {
    if (parts.args) taskRun.args = parts.args;
    placed.release();
  }
  if (done.status === 'unknown' || done.status === 'unreachable') return done;
  return judge(taskRun, locals, done);
}

async function judge(taskRun: TaskRun, locals: Record<string, unknown>, done: Attempt): Promise<Attempt> {
  const { context, task, host } = taskRun;
  const scope = () => scopeFor(context, task, host, { ...locals, ...registered(task, done) });
  const said = (rule: Expression[] | boolean | undefined) =>
    rule === undefined || typeof rule === 'boolean' ? rule : allTrue(context.run, rule, scope());
  const failed = await said(task.failedWhen);
  if (isUnknown(failed)) return { ...unknownAttempt(taskRun.module, failed.because), changes: done.changes };
  if (failed === true) {
    const rule = Array.isArray(task.failedWhen) ? task.failedWhen.map((e) => e.text).join(' && ') : 'true';
    const error = new ReeveError('failed-when', `failed_when is true: ${rule}`, {
      place: task.place,
      exitCode: EXIT.taskFailed,
    });
    return { ...done, status: 'failed', error, message: error.message, result: { ...done.result, failed: true } };
  }
  let judgedDone = done;
  if (failed === false && done.status === 'failed') {
    const { error: _, ...rest } = done;
    judgedDone = {
      ...rest,
      status: done.result.changed === true ? 'changed' : 'ok',
      result: { ...done.result, failed: false },
    };
  }
  if (judgedDone.status === 'failed') return judgedDone;
  const changed = await said(task.changedWhen);
  if (changed === undefined || isUnknown(changed)) return judgedDone;
  const changes = changed ? judgedDone.changes : [];
  return { ...judgedDone, changes, status: changed ? 'changed' : 'ok', result: { ...judgedDone.result, changed } };
}

function registered(task: Task, done: Attempt): Record<string, unknown> {
  return task.register === undefined ? {} : { [task.register]: done.result };
}

async function wholeNumber(
  context: StepContext,
  compiled: Compiled | undefined,
  scope: LayeredScope,
  fallback: number,
): Promise<number> {
  if (!compiled) return fallback;
  const value = Number(await withFacts(context.run, () => compiled.render(scope)));
  if (!Number.isInteger(value) || value < 0)
    throw new ReeveError('invalid-retries', 'retries takes a whole number', { exitCode: EXIT.taskFailed });
  return value;
}

async function milliseconds(
  context: StepContext,
  compiled: Compiled | undefined,
  scope: LayeredScope,
  fallback: number,
): Promise<number> {
  if (!compiled) return fallback;
  return parseDuration((await withFacts(context.run, () => compiled.render(scope))) as string | number);
}
