import { type Diagnostic, EXIT, InvalidError, ReeveError } from '../errors.ts';
import type { EventBody, TaskStatus } from '../events.ts';
import { compileExpression, evaluateCondition } from '../language/expression.ts';
import { type LayeredScope, LazyMapping } from '../language/scope.ts';
import type { Expression } from '../language/types.ts';
import { findUnknown, isUnknown, Unknown } from '../language/unknown.ts';
import type { Path } from '../load/document.ts';
import { type AnyModule, type Applied, type Change, type Evaluated, type Plan, TaskFailure } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import { withFacts } from './gather.ts';
import { confirmLocks } from './lock.ts';
import { forEvent, hiddenResult } from './recorded-value.ts';
import type { EffectKey, Replay } from './replay.ts';
import { replayedEffect } from './replay-effect.ts';
import type { RunState } from './run-state.ts';
import { shownArgs } from './shown-args.ts';
import { ReadingTarget, type TargetParts, WritingTarget } from './target.ts';

/** What one try of one task (or of one item of its loop) on one host came to. */
export interface Attempt {
  status: TaskStatus;
  /** What `register` gets; may hold Unknown values in check mode. */
  result: Record<string, unknown>;
  changes: Change[];
  message?: string;
  error?: ReeveError;
}

export interface AttemptParts {
  run: RunState;
  task: Task;
  module: AnyModule;
  target: TargetParts;
  scope: LayeredScope;
  noLog: boolean;
  /** Plans only: `--check`, or `check_mode: true` on the task. */
  planOnly: boolean;
  /** Id of this instance of the task, what it is called, and the label of the loop's item. */
  id: string;
  name: string;
  item?: string;
  /** Set by the attempt: the rendered arguments, for reports. */
  args?: Record<string, unknown>;
}

/**
 * Renders the arguments, plans, and applies when there is something to change and this is no check.
 * A failure that the module understands is an Attempt with status failed; errors about the connection or about reeve
 * itself are thrown.
 */
export async function attempt(parts: AttemptParts): Promise<Attempt> {
  const { module } = parts;
  const rendered = await renderArgs(parts);
  if (rendered instanceof Unknown) return unknownAttempt(module, (await waitOfKnown(parts)) ?? rendered.because);
  parts.args = shownArgs(module, rendered);
  const waitsFor = parts.planOnly && describedOnly(parts) ? module.waits?.what(rendered) : undefined;
  if (waitsFor !== undefined) return unknownAttempt(module, `would wait for ${waitsFor}`);
  const replay = parts.planOnly ? undefined : parts.run.replay;
  const recorded = replay && (await recordedBefore(parts, replay));
  if (recorded) return recorded;
  try {
    const plan = await module.plan(rendered, new ReadingTarget(parts.target, parts.item));
    if (plan.unknown !== undefined) {
      // Outside of check mode nothing is pending that could still bring what is missing.
      if (!parts.planOnly) return failedAttempt(new TaskFailure(plan.unknown, { facts: plan.facts ?? {} }));
      return unknownAttempt(module, plan.unknown, plan.changes);
    }
    if (plan.changes.length === 0) return (replay && (await doneBefore(parts, plan, replay))) ?? unchanged(plan);
    return parts.planOnly ? foreseen(parts, plan) : await apply(parts, plan);
  } catch (error) {
    if (!(error instanceof TaskFailure)) throw error;
    // A file that is missing now may be what a pending change would make. Refusals of actions (a drain) are told.
    if (parts.planOnly && parts.run.pending.any && module.kind === 'state' && onHost(module)) {
      return unknownAttempt(
        module,
        `cannot be told before the changes above are made (${error.message.split('\n', 1)[0]})`,
      );
    }
    return failedAttempt(error);
  }
}

/** Of an effect, in events and in the record of an earlier process. */
function whereOf({ target, id, item }: AttemptParts): EffectKey {
  return { host: target.host.name, task: id, ...(item === undefined ? {} : { item }) };
}

function onHost(module: AnyModule): boolean {
  return (module.on ?? 'host') === 'host';
}

/** What a wait is for can often be said although one of its arguments is not known yet. */
async function waitOfKnown({ run, task, module, scope, planOnly }: AttemptParts): Promise<string | undefined> {
  if (!planOnly || !module.waits) return undefined;
  const rendered = await withFacts(run, () => task.args.render(scope));
  if (isUnknown(rendered)) return undefined;
  const known = Object.entries(rendered as object).filter(([, value]) => findUnknown(value) === undefined);
  const { args, diagnostics } = run.checkArgs(module, Object.fromEntries(known), task.argsAt);
  if (diagnostics.some((d) => d.severity === 'error')) return undefined;
  const what = module.waits.what(args);
  return what === undefined ? undefined : `would wait for ${what}`;
}

/** In check mode a wait is described, not waited for, once something before it is pending. */
function describedOnly({ run, module }: AttemptParts): boolean {
  return module.waits?.inCheck === 'never' || run.pending.any;
}

async function renderArgs(parts: AttemptParts): Promise<Record<string, unknown> | Unknown> {
  const { run, task, module, scope } = parts;
  const rendered = await withFacts(run, () => task.args.render(scope));
  const unknown = findUnknown(rendered);
  if (unknown) return unknown;
  const given = module.expressions ? await evaluateExpressions(parts, rendered as Record<string, unknown>) : rendered;
  const { args, diagnostics } = run.checkArgs(module, given, task.argsAt);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw argumentError(errors);
  for (const [name, schema] of Object.entries(module.args.properties as Record<string, { writeOnly?: boolean }>)) {
    if (schema.writeOnly) run.masker.add(args[name]);
  }
  return args;
}

function argumentError(errors: Diagnostic[]): ReeveError {
  const first = errors[0]!;
  if (errors.length > 1) return new InvalidError(errors);
  return new TaskFailure(first.message, {
    code: first.code,
    ...(first.place ? { place: first.place } : {}),
    ...(first.hint ? { hint: first.hint } : {}),
  });
}

/** Arguments that are CEL (`assert: { that: … }`): each becomes a list of what its expressions came to. */
async function evaluateExpressions(
  parts: AttemptParts,
  args: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const result = { ...args };
  for (const name of parts.module.expressions ?? []) {
    const written = args[name];
    if (written === undefined) continue;
    const { path } = parts.task.argsAt;
    result[name] = Array.isArray(written)
      ? await Promise.all(written.map((one, index) => evaluateOne(parts, one, [...path, name, index])))
      : [await evaluateOne(parts, written, [...path, name])];
  }
  return result;
}

async function evaluateOne({ run, task, scope }: AttemptParts, written: unknown, path: Path): Promise<Evaluated> {
  if (typeof written === 'boolean') return { expression: String(written), value: written };
  const expression = compileExpression(String(written), task.argsAt.document.textPlace(path));
  const value = await withFacts(run, () => evaluateCondition(expression, scope));
  if (isUnknown(value)) return { expression: expression.text, value: 'unknown' };
  return { expression: expression.text, value, ...(value ? {} : { names: namesIn(expression, scope) }) };
}

/** What the names of an expression stood for, as far as they are short and known: it explains why one is false. */
function namesIn(expression: Expression, scope: LayeredScope): Record<string, unknown> {
  const names: Record<string, unknown> = {};
  for (const { path } of expression.references) {
    let value: unknown = scope.get(path[0]!);
    for (const member of path.slice(1)) {
      value =
        value instanceof LazyMapping ? value.get(member) : (value as Record<string, unknown> | undefined)?.[member];
    }
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) names[path.join('.')] = value;
  }
  return names;
}

async function apply(parts: AttemptParts, plan: Plan): Promise<Attempt> {
  const { run, module, target } = parts;
  if (!module.apply) throw new ReeveError('module-bug', `module ${module.name} planned a change and cannot apply any`);
  const where = whereOf(parts);
  const writing = new WritingTarget(target, parts.item);
  await announceEffect(run, {
    type: 'effect-started',
    ...where,
    changes: shownChanges(plan.changes, parts.noLog),
    ...(plan.undo === undefined ? {} : { undo: plan.undo }),
  });
  let applied: Applied | undefined;
  let attempt: Attempt | undefined;
  try {
    applied = await module.apply(plan.next, writing);
    attempt = changed(plan, applied);
    return attempt;
  } catch (error) {
    // That it failed is as good an end as any: such an action is not done again by a run that goes on.
    if (!(error instanceof TaskFailure)) throw error;
    attempt = failedAttempt(error);
    return attempt;
  } finally {
    // State modules are planned again after a crash; of an action the journal must know that it is done, and how.
    const ended = module.kind === 'action' ? attempt?.result : undefined;
    const result = ended && (parts.noLog ? hiddenResult(ended) : forEvent(ended, run.keep));
    const undo = applied?.undo ?? writing.undo;
    run.emitter.emit({
      type: 'effect-ended',
      ...where,
      ok: applied !== undefined,
      ...(undo === undefined ? {} : { undo }),
      ...(result ? { result } : {}),
    });
    if (attempt) await writing.jobs.clear();
  }
}

/**
 * Nothing is changed that the journal does not announce, and nothing once the run may not go on.
 * @throws ReeveError that stops the run.
 */
export async function announceEffect(run: RunState, event: EventBody): Promise<void> {
  const { emitter, interrupt } = run;
  await confirmLocks(run);
  if (interrupt.halted) throw interrupt.halted;
  emitter.emit(event);
  try {
    await emitter.flush();
  } catch (error) {
    if (error instanceof ReeveError) interrupt.halt(error);
    throw error;
  }
  // The lock can be lost while the disk is slow.
  if (interrupt.halted) throw interrupt.halted;
}

function changed(plan: Plan, applied: Applied): Attempt {
  const message = applied.message ?? plan.message;
  const said = message === undefined ? {} : { message };
  const facts = { ...plan.facts, ...applied.facts };
  return { status: 'changed', changes: plan.changes, result: baseResult({ changed: true, ...said }, facts), ...said };
}

/** Set for an action that ended before the run died: what it came to, which no plan could tell now. */
async function recordedBefore(parts: AttemptParts, replay: Replay): Promise<Attempt | undefined> {
  const done = replay.takeEffect(whereOf(parts));
  if (done && onHost(parts.module)) await new WritingTarget(parts.target, parts.item).jobs.clearLeft();
  return done && replayedEffect(parts, done);
}

/** Set when the run had begun these changes before it died, and they are made. */
async function doneBefore(parts: AttemptParts, plan: Plan, replay: Replay): Promise<Attempt | undefined> {
  const where = whereOf(parts);
  const announced = replay.takeAnnounced(where);
  if (!announced) return undefined;
  const { changes, undo } = announced;
  const { jobs } = new WritingTarget(parts.target, parts.item);
  if (jobs.isResumed) {
    // Its record is made up for: what is done and recorded can be taken back.
    parts.run.emitter.emit({ type: 'effect-ended', ...where, ok: true, ...(undo === undefined ? {} : { undo }) });
    if (onHost(parts.module)) await jobs.clearLeft();
  }
  const attempt = changed({ ...plan, changes }, {});
  return { ...attempt, message: 'changed before the run died' };
}

function unchanged(plan: Plan): Attempt {
  const message = plan.message;
  return {
    status: 'ok',
    changes: [],
    result: baseResult({ changed: false, ...(message === undefined ? {} : { message }) }, plan.facts ?? {}),
    ...(message === undefined ? {} : { message }),
  };
}

/** Check mode, something to change: facts are what the module predicts, the others unknown. */
function foreseen(parts: AttemptParts, plan: Plan): Attempt {
  const { run, module } = parts;
  const because = `"${parts.name}" has not run`;
  // A task with `check_mode: true` in a real run must not make later tasks, which do run, believe it has happened.
  if (run.settings.check) Object.assign(run.foreseen, plan.foresees);
  if (module.unpredictable || (module.kind === 'action' && plan.predicted === undefined)) {
    const unknown = unknownAttempt(
      module,
      `would ${plan.changes.map((change) => change.summary).join(', ')}`,
      plan.changes,
    );
    return { ...unknown, result: { ...unknown.result, ...plan.predicted } };
  }
  run.pending.any = true;
  const unknowns = Object.fromEntries(
    Object.keys(module.returns.properties).map((name) => [name, new Unknown(because)]),
  );
  return {
    status: 'changed',
    changes: plan.changes,
    result: baseResult({ changed: true }, { ...unknowns, ...plan.predicted }),
    ...(plan.message === undefined ? {} : { message: plan.message }),
  };
}

/** Check mode: nothing can be said before something else has happened. */
export function unknownAttempt(module: AnyModule | undefined, because: string, changes: Change[] = []): Attempt {
  const unknown = new Unknown(because);
  const names = ['changed', 'failed', 'skipped', ...Object.keys(module?.returns.properties ?? {})];
  return {
    status: 'unknown',
    changes,
    message: because,
    result: { ...Object.fromEntries(names.map((name) => [name, unknown])), unknown: true },
  };
}

export function failedAttempt(error: ReeveError): Attempt {
  const facts = error instanceof TaskFailure ? error.facts : {};
  return {
    status: error.exitCode === EXIT.unreachable ? 'unreachable' : 'failed',
    changes: [],
    message: error.message,
    error,
    result: baseResult({ failed: true, message: error.message }, facts),
  };
}

/** The members every register has, and the module's facts. */
export function baseResult(
  outcome: { changed?: boolean; failed?: boolean; skipped?: boolean; message?: string },
  facts: Record<string, unknown>,
): Record<string, unknown> {
  return { changed: false, failed: false, skipped: false, unknown: false, message: '', ...facts, ...outcome };
}

/** Changes as events may show them: without the content of sensitive ones. */
export function shownChanges(changes: readonly Change[], hideAll = false): Change[] {
  if (hideAll) return changes.map(() => ({ summary: 'hidden by no_log', sensitive: true }));
  return changes.map((change) => {
    if (!change.sensitive) return change;
    const { before: _b, after: _a, ...shown } = change;
    return { ...shown, sensitive: true };
  });
}
