import { EXIT, ReeveError } from '../errors.ts';
import { allOf } from '../language/expression.ts';
import type { Expression } from '../language/types.ts';
import { isUnknown, type Unknown } from '../language/unknown.ts';
import type { StepBase, Task } from '../playbook/model.ts';
import { type AttemptParts, attempt } from './attempt.ts';
import { allTrue, scopeFor } from './conditions.ts';
import { type Attempt, failedAttempt, unknownAttempt } from './outcome.ts';
import { placeTask } from './placement.ts';
import type { RunState } from './run-state.ts';
import { sleepUntilStopped } from './sleep.ts';
import { asReeveError, type TaskRun } from './task-run.ts';
import { isRetried, trySettings } from './try-settings.ts';

/** Tries until `until` is true (or, without it, once), then applies changed_when and failed_when. */
export async function retriedTask(
  taskRun: TaskRun,
  locals: Record<string, unknown>,
  item: string | undefined,
): Promise<Attempt> {
  const { context, task, host } = taskRun;
  const settings = await trySettings(context.run, task, scopeFor(context, task, host, locals));
  if (isUnknown(settings)) return unknownAttempt(taskRun.module, settings.because);
  const { tries } = settings;
  let { delay } = settings;
  for (let n = 1; ; n++) {
    const done = await judged(taskRun, locals, item);
    if (done.status === 'unknown' || !isRetried(task)) return done;
    const settled = await untilTrue(taskRun, locals, done);
    if (isUnknown(settled)) return unknownAttempt(taskRun.module, settled.because);
    if (settled) return { ...done, result: { ...done.result, attempts: n } };
    if (n >= tries || done.status === 'unreachable') return givenUp(done, n, task);
    const message = done.message ?? 'not yet as wanted';
    if (waitsForPending(context.run))
      return unknownAttempt(taskRun.module, wouldTryAgain(task, message), { changes: done.changes });
    if (!context.run.interrupt.requested) {
      context.run.emitter.emit({
        type: 'task-retry',
        host: host.name,
        task: taskRun.id,
        attempt: n,
        of: tries,
        delay,
        message,
      });
      await sleepUntilStopped(context.run.interrupt, delay);
    }
    if (context.run.interrupt.requested) return cutShort(done, n, tries);
    delay *= task.backoff ?? 1;
  }
}

/** A wait in check mode, after something that has not been done: what it waits for may come of that. */
export function waitsForPending({ settings, pending }: RunState): boolean {
  return settings.check && pending.any;
}

/** What is said of a task or block that is tried only once in check mode. */
export function wouldTryAgain({ until }: Pick<StepBase, 'until'>, message: string): string {
  if (!until) return `would try again (now: ${message.split('\n', 1)[0]})`;
  return `would try again until ${allOf(until)}`;
}

/** Stopped between two tries: resume tries it again. */
function cutShort(done: Attempt, tried: number, tries: number): Attempt {
  const error = new ReeveError(
    'interrupted',
    `stopped after try ${tried} of ${tries}: ${done.message || 'not yet as wanted'}`,
    { exitCode: EXIT.interrupted },
  );
  return { ...failedAttempt(error), changes: done.changes, result: { ...done.result, failed: true, attempts: tried } };
}

async function untilTrue(taskRun: TaskRun, locals: Record<string, unknown>, done: Attempt): Promise<boolean | Unknown> {
  const { context, task, host } = taskRun;
  if (!task.until) return done.status !== 'failed';
  return allTrue(context.run, task.until, scopeFor(context, task, host, { ...locals, ...registered(task, done) }));
}

function givenUp(done: Attempt, tries: number, task: Task): Attempt {
  if (done.status === 'failed' || done.status === 'unreachable')
    return { ...done, result: { ...done.result, attempts: tries } };
  const condition = task.until ? allOf(task.until) : '';
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
  if (isUnknown(placed)) return unknownAttempt(module, placed.because);
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
  if (done.status === 'unreachable') return done;
  if (done.status === 'unknown') return task.changedWhen === false ? neverChanged(done) : done;
  const judgedDone = await judge(taskRun, locals, done);
  return judgedDone.status === 'failed' && isStale(parts) ? lookedTooEarly(taskRun, judgedDone) : judgedDone;
}

/** Nothing is known of it, but that it does not count as a change. */
function neverChanged(done: Attempt): Attempt {
  return { ...done, result: { ...done.result, changed: false } };
}

/** It has looked at what something pending may change. */
function isStale({ run, module, args }: AttemptParts): boolean {
  return waitsForPending(run) && args !== undefined && module.looks?.(args) === true;
}

function lookedTooEarly({ module }: TaskRun, done: Attempt): Attempt {
  const now = done.message?.split('\n', 1)[0] ?? 'it fails now';
  return unknownAttempt(module, `cannot be told before the changes above are made (${now})`);
}

async function judge(taskRun: TaskRun, locals: Record<string, unknown>, done: Attempt): Promise<Attempt> {
  const { context, task, host } = taskRun;
  const scope = () => scopeFor(context, task, host, { ...locals, ...registered(task, done) });
  const said = (rule: Expression[] | boolean | undefined) =>
    rule === undefined || typeof rule === 'boolean' ? rule : allTrue(context.run, rule, scope());
  const failed = await said(task.failedWhen);
  if (isUnknown(failed)) return unknownAttempt(taskRun.module, failed.because, { changes: done.changes });
  if (failed === true) {
    const rule = Array.isArray(task.failedWhen) ? allOf(task.failedWhen) : 'true';
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
  if (changed === undefined) return judgedDone;
  if (isUnknown(changed)) {
    const result = { ...judgedDone.result, changed };
    return { ...judgedDone, status: 'unknown', message: changed.because, result };
  }
  const changes = changed ? judgedDone.changes : [];
  return { ...judgedDone, changes, status: changed ? 'changed' : 'ok', result: { ...judgedDone.result, changed } };
}

function registered(task: Task, done: Attempt): Record<string, unknown> {
  return task.register === undefined ? {} : { [task.register]: done.result };
}
