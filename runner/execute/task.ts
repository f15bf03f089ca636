import { EXIT, ReeveError } from '../errors.ts';
import type { TaskEnded, TaskReference, TaskStatus } from '../events.ts';
import { allOf } from '../language/expression.ts';
import type { Expression } from '../language/types.ts';
import { isUnknown, Unknown } from '../language/unknown.ts';
import type { StepBase, Task } from '../playbook/model.ts';
import { describeTask } from '../playbook/task-name.ts';
import { allTrue, scopeFor } from './conditions.ts';
import { inherit, type StepContext } from './context.ts';
import { withFacts } from './gather.ts';
import { notify } from './handlers.ts';
import type { HostState } from './host-state.ts';
import { evaluateItems, type Items, labelOf, loopLocals } from './loop.ts';
import { type Attempt, baseResult, failedAttempt, isPartlyDone, shownChanges, unknownAttempt } from './outcome.ts';
import { forEvent, hiddenResult } from './recorded-value.ts';
import { replayedItem, replayTask } from './replay-task.ts';
import { Semaphore } from './semaphore.ts';
import { sleepUntilStopped } from './sleep.ts';
import { asReeveError, type TaskRun } from './task-run.ts';
import { retriedTask } from './tries.ts';
import { isRetried } from './try-settings.ts';

/** What a task on a host came to, after its loop, tries and conditions. */
export interface TaskOutcome {
  status: TaskStatus;
  ignored: boolean;
  register?: { name: string; value: unknown };
  /** What set-vars has set. */
  variables?: Record<string, unknown>;
}

/** Runs a task on one host, from its condition to its register, and tells the journal. Never throws for a failed task. */
export async function runTask(
  context: StepContext,
  task: Task,
  host: HostState,
  onlyPossible = false,
): Promise<TaskOutcome> {
  const { run } = context;
  const module = run.modules.get(task.module)!;
  const settings = inherit(context.inherited, task);
  const id = task.id + context.suffix;
  const reference: TaskReference = {
    id,
    name: task.module,
    module: task.module,
    kind: module.kind,
    section: context.section,
    place: task.place,
  };
  const taskRun: TaskRun = { context, task, module, host, settings, id, reference, warnings: [], recordedItems: [] };
  try {
    const recorded = run.replay?.take(host.name, id, context.rescuable);
    if (recorded?.ended) {
      const { ended } = recorded;
      const result = await replayTask(taskRun, { ...recorded, ended });
      if (result) return replayOutcome(taskRun, ended, result);
    }
    taskRun.recordedItems = recorded?.items ?? [];
    if (recorded?.hadChanged) taskRun.hadChanged = true;
  } catch (error) {
    return finish(taskRun, failedAttempt(asReeveError(error, taskRun)), 0);
  }
  // A host that waits for its turn has not started: ten thousand that had took 0.4 s of the event loop at each task.
  return throttled(taskRun, () => startedTask(taskRun, onlyPossible));
}

async function startedTask(taskRun: TaskRun, onlyPossible: boolean): Promise<TaskOutcome> {
  const { task } = taskRun;
  const { run, section } = taskRun.context;
  const { slices } = run;
  // Nine hundred hosts may have waited when Ctrl-C came: resume does the task there. A handler is forgotten if it does not run.
  if (run.interrupt.requested && section !== 'handlers') return { status: 'skipped', ignored: false };
  // Asserts and set-vars wait for nothing: twenty of them on a thousand hosts would be one stretch of a second.
  if (slices.isOver) await slices.next();
  const startedAt = Date.now();
  let result: Attempt;
  try {
    await announce(taskRun);
    result = onlyPossible
      ? unknownAttempt(taskRun.module, 'whether it is notified depends on a task that has not run')
      : wholeResult(task, await loopedTask(taskRun));
  } catch (error) {
    result = failedAttempt(asReeveError(error, taskRun));
  }
  // A clock can jump back.
  return finish(taskRun, result, Math.max(0, Date.now() - startedAt));
}

async function announce(taskRun: TaskRun): Promise<void> {
  const { context, host, reference } = taskRun;
  reference.name = await displayName(taskRun);
  const at = { play: context.playState.index, batch: context.batch, host: host.name, task: reference };
  const delegate = await delegateName(taskRun);
  context.run.emitter.emit({ type: 'task-started', ...at, ...(delegate === undefined ? {} : { delegate }) });
}

async function displayName({ context, task, host, module, settings }: TaskRun): Promise<string> {
  if (task.name.isStatic) {
    const name = String(task.name.render(context.run.emptyScope));
    // A task without a name bears that of its module. With no_log its arguments are nobody's business.
    return name === task.module && !settings.noLog ? describeTask(task, module) : name;
  }
  const name = await withFacts(context.run, () => task.name.render(scopeFor(context, task, host)));
  return isUnknown(name) ? task.module : String(name);
}

async function delegateName({ context, task, host, settings }: TaskRun): Promise<string | undefined> {
  if (!settings.delegateTo || task.loop) return undefined;
  const name = await withFacts(context.run, () => settings.delegateTo!.render(scopeFor(context, task, host)));
  return typeof name === 'string' ? name : undefined;
}

async function throttled<T>({ context: { run }, settings, task }: TaskRun, work: () => Promise<T>): Promise<T> {
  if (!settings.throttle) return run.forks.use(work);
  let gate = run.throttles.get(task.id);
  if (!gate) {
    gate = new Semaphore(settings.throttle);
    run.throttles.set(task.id, gate);
  }
  return gate.use(() => run.forks.use(work));
}

/** Condition, then the items of the loop one after another, each with its tries. */
async function loopedTask(taskRun: TaskRun): Promise<Attempt> {
  const { context, task, host, module } = taskRun;
  const names = task.loopControl ?? {};
  const loopNames = new Set([names.item ?? 'item', names.index ?? 'index']);
  const isOfItem = (condition: Expression) => condition.references.some((r) => loopNames.has(r.path[0] ?? ''));
  const before = task.loop ? task.when.filter((condition) => !isOfItem(condition)) : task.when;
  const wanted = await allTrue(context.run, before, scopeFor(context, task, host));
  if (wanted === false) return skipped(before);
  if (isUnknown(wanted)) return unknownAttempt(module, wanted.because);
  if (!task.loop) return retriedTask(taskRun, {}, undefined);
  const items = await evaluateItems(context, task, scopeFor(context, task, host));
  if (isUnknown(items)) return unknownAttempt(module, items.because);
  return runItems(taskRun, items, task.when.filter(isOfItem));
}

/** A task that was not run, or is not known, has the members that its loop and its tries would give. */
function wholeResult(task: Task, done: Attempt): Attempt {
  if (done.status !== 'unknown' && done.status !== 'skipped') return done;
  const unknown = done.status === 'unknown' ? new Unknown(done.message ?? '') : undefined;
  const results = task.loop ? { results: unknown ?? [] } : {};
  const attempts = isRetried(task) ? { attempts: unknown ?? 0 } : {};
  return { ...done, result: { ...results, ...attempts, ...done.result } };
}

async function runItems(taskRun: TaskRun, items: Items, conditions: Expression[]): Promise<Attempt> {
  const { context, task, host, module } = taskRun;
  const { run } = context;
  const attempts: Attempt[] = [];
  for (const [index, value] of items.values.entries()) {
    if (index > 0 && task.loopControl?.pause) await sleepUntilStopped(run.interrupt, task.loopControl.pause);
    if (run.interrupt.requested && attempts.length > 0) {
      attempts.push(cutOff(attempts.length, items.values.length));
      break;
    }
    const locals = loopLocals(task, value, index);
    const scope = scopeFor(context, task, host, locals);
    // The label is the item itself, as far as it is short; with no_log nobody may see it.
    const label = taskRun.settings.noLog ? `item ${index}` : await withFacts(run, () => labelOf(task, value, scope));
    const wanted = await allTrue(run, conditions, scope);
    let done: Attempt;
    delete taskRun.args;
    const recorded = replayedItem(taskRun, index, label);
    if (recorded) {
      attempts.push({ ...recorded, item: label, result: { ...recorded.result, item: value } });
      await setVariables(taskRun, recorded, locals);
      continue;
    }
    if (wanted === false) done = skipped(conditions);
    else if (isUnknown(wanted)) done = unknownAttempt(module, wanted.because);
    else done = await retriedTask(taskRun, locals, label);
    attempts.push({ ...done, item: label, result: { ...done.result, item: value } });
    await setVariables(taskRun, done, locals);
    run.emitter.emit({
      type: 'item-ended',
      host: host.name,
      task: taskRun.id,
      item: label,
      index,
      status: done.status,
      ...(done.message === undefined || taskRun.settings.noLog ? {} : { message: done.message }),
      changes: shownChanges(done.changes, taskRun.settings.noLog),
      ...(taskRun.args && !taskRun.settings.noLog ? { args: taskRun.args } : {}),
      result: shownResult(taskRun, done),
    });
    if (done.status === 'unreachable') break;
  }
  return combine(attempts);
}

/** Items that were not begun: what makes the task one that resume goes on with. */
function cutOff(done: number, all: number): Attempt {
  return failedAttempt(
    new ReeveError('interrupted', `stopped after ${done} of ${all} items`, { exitCode: EXIT.interrupted }),
  );
}

/** One result for a loop: failed when an item failed, changed when one changed; `results` holds each. */
function combine(attempts: Attempt[]): Attempt {
  const has = (status: TaskStatus) => attempts.find((a) => a.status === status);
  const worst = has('unreachable') ?? has('failed') ?? has('unknown') ?? has('changed') ?? has('ok');
  const status = worst?.status ?? 'skipped';
  const failed = has('failed') ?? has('unreachable');
  const result = {
    ...baseResult(
      { changed: has('changed') !== undefined, failed: failed !== undefined, skipped: status === 'skipped' },
      {},
    ),
    ...(has('unknown') ? { changed: has('unknown')!.result.changed, unknown: true } : {}),
    results: attempts.map((a) => a.result),
  };
  const message = attempts.length === 0 ? 'the loop has no items' : messageOf(attempts, status);
  return {
    status,
    result,
    changes: attempts.flatMap((a) => a.changes),
    ...(message === undefined ? {} : { message }),
    ...(failed?.error ? { error: failed.error } : {}),
  };
}

/** Of items that failed each is named; of those that are well each says its own. */
function messageOf(attempts: readonly Attempt[], status: TaskStatus): string | undefined {
  const failed = attempts.filter(isBad);
  const told = failed.length > 0 ? failed : attempts.filter((attempt) => attempt.status === status);
  // What an item is unknown for, or was skipped for, is the same for all.
  if (status === 'unknown' || status === 'skipped') return told[0]?.message;
  const texts = told.map(({ item, message = '' }) =>
    failed.length > 0 && item !== undefined ? `${item}: ${message}` : message,
  );
  const shown = [...new Set(texts)].filter((text) => text !== '');
  return shown.length > 0 ? shown.join('\n') : undefined;
}

function skipped(conditions: readonly Expression[]): Attempt {
  const message = `not wanted: ${allOf(conditions)}`;
  return { status: 'skipped', changes: [], message, result: baseResult({ skipped: true, message }, {}) };
}

/** What a task that is taken from the journal came to; it is not told again. */
function replayOutcome(
  { task, host, variables }: TaskRun,
  ended: TaskEnded,
  result: Record<string, unknown>,
): TaskOutcome {
  const ignored = ended.ignored === true;
  host.count(ended.status, ignored, isPartlyDone(task, ended));
  const bad = ended.status === 'failed' || ended.status === 'unreachable';
  if (bad && !ignored) host.failed = ended.status === 'unreachable' ? 'unreachable' : 'failed';
  return {
    status: ended.status,
    ignored,
    ...(task.register === undefined ? {} : { register: { name: task.register, value: result } }),
    ...(variables ? { variables } : {}),
  };
}

function shownResult({ context, settings }: TaskRun, { result }: Attempt): Record<string, unknown> {
  return settings.noLog ? hiddenResult(result) : forEvent(result, context.run.keep);
}

/** Register, notifications, recap and the closing event. */
async function finish(taskRun: TaskRun, attempt: Attempt, duration: number): Promise<TaskOutcome> {
  const { context, task, host, settings, reference } = taskRun;
  const { run } = context;
  const done = await concluded(taskRun, attempt);
  const bad = isBad(done);
  const ignored = done.status === 'failed' && (await ignores(taskRun));
  const outcome: TaskOutcome = { status: done.status, ignored };
  if (done.status === 'unknown' && task.changedWhen !== false) run.pending.any = true;
  if (task.register !== undefined) outcome.register = { name: task.register, value: done.result };
  if (taskRun.variables) outcome.variables = taskRun.variables;
  host.count(done.status, ignored, isPartlyDone(task, done));
  const message = settings.noLog ? (bad ? 'failed; the reason is hidden by no_log' : undefined) : done.message;
  run.emitter.emit({
    type: 'task-ended',
    play: context.playState.index,
    batch: context.batch,
    host: host.name,
    task: reference,
    status: done.status,
    duration,
    changes: shownChanges(done.changes, settings.noLog),
    ...(taskRun.args && !settings.noLog && !task.loop ? { args: taskRun.args } : {}),
    ...(message === undefined ? {} : { message }),
    result: shownResult(taskRun, done),
    ...(ignored ? { ignored } : {}),
    ...(settings.diff === undefined ? {} : { diff: settings.diff }),
    ...(taskRun.warnings.length > 0 ? { warnings: taskRun.warnings } : {}),
    ...(done.error && !settings.noLog ? { error: errorForEvent(done.error, task) } : {}),
  });
  if (bad && !ignored) host.failed = done.status === 'unreachable' ? 'unreachable' : 'failed';
  if (done.error?.code === 'unexpected') run.unexpected ??= done.error;
  return outcome;
}

function isBad({ status }: Attempt): boolean {
  return status === 'failed' || status === 'unreachable';
}

/** What a task does last: variables and notifications. A mistake in those is a failure of the task, not of the run. */
async function concluded(taskRun: TaskRun, done: Attempt): Promise<Attempt> {
  const { context, task } = taskRun;
  const { status } = done;
  try {
    if (!task.loop) await setVariables(taskRun, done);
    const hasChanged = status === 'changed' || isPartlyDone(task, done) || (status === 'ok' && taskRun.hadChanged);
    if (hasChanged) await notify(context, taskRun, true);
    // What never counts as a change notifies nobody, whatever comes of it.
    if (status === 'unknown' && task.changedWhen !== false) await notify(context, taskRun, false);
    return done;
  } catch (error) {
    const failed = failedAttempt(asReeveError(error, taskRun));
    const { message = '' } = failed;
    return { ...failed, changes: done.changes, result: { ...done.result, failed: true, message } };
  }
}

/** The arguments of set-vars become variables; what is not known yet becomes an unknown variable, not a missing one. */
async function setVariables(taskRun: TaskRun, done: Attempt, locals: Record<string, unknown> = {}): Promise<void> {
  const { context, task, host, module } = taskRun;
  if (!module.setsVariables || isBad(done) || done.status === 'skipped') return;
  const values = await withFacts(context.run, () => task.args.render(scopeFor(context, task, host, locals)));
  taskRun.variables = { ...taskRun.variables, ...(values as Record<string, unknown>) };
  // The next item finds what this one has set.
  Object.assign(host.data, values);
}

async function ignores(taskRun: TaskRun): Promise<boolean> {
  const { context, task, host, settings } = taskRun;
  const { halted, signal } = context.run.interrupt;
  // Cut off is not failed: resume must try it again.
  if (halted || signal.aborted) return false;
  const rule = settings.ignoreErrors;
  if (rule === undefined || typeof rule === 'boolean') return rule ?? false;
  try {
    return (await allTrue(context.run, [rule], scopeFor(context, task, host))) === true;
  } catch (error) {
    taskRun.warnings.push(
      `not ignored, since \`ignore_errors\` has no answer: ${asReeveError(error, taskRun).message}`,
    );
    return false;
  }
}

/** An error as events tell it: at its own place, or at that of the step. */
export function errorForEvent(error: ReeveError, step: Pick<StepBase, 'place'>) {
  const place = error.place ?? step.place;
  return { code: error.code, message: error.message, place, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
