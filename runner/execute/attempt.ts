import { type Diagnostic, EXIT, InvalidError, ReeveError } from '../errors.ts';
import type { TaskStatus } from '../events.ts';
import { compileExpression, evaluateCondition } from '../language/expression.ts';
import { type LayeredScope, LazyMapping } from '../language/scope.ts';
import type { Expression } from '../language/types.ts';
import { findUnknown, isUnknown, Unknown } from '../language/unknown.ts';
import type { Path } from '../load/document.ts';
import { type AnyModule, type Applied, type Change, type Evaluated, type Plan, TaskFailure } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import { withFacts } from './gather.ts';
import type { RunState } from './run-state.ts';
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
}

/**
 * Renders the arguments, plans, and applies when there is something to change and this is no check.
 * A failure that the module understands is an Attempt with status failed; errors about the connection or about reeve
 * itself are thrown.
 */
export async function attempt(parts: AttemptParts): Promise<Attempt> {
  const { module } = parts;
  const rendered = await renderArgs(parts);
  if (rendered instanceof Unknown) return unknownAttempt(module, rendered.because);
  const waitsFor = parts.planOnly && describedOnly(parts) ? module.waits?.what(rendered) : undefined;
  if (waitsFor !== undefined) return unknownAttempt(module, `would wait for ${waitsFor}`);
  try {
    const plan = await module.plan(rendered, new ReadingTarget(parts.target));
    if (plan.unknown !== undefined) {
      // Outside of check mode nothing is pending that could still bring what is missing.
      if (!parts.planOnly) return failedAttempt(new TaskFailure(plan.unknown, { facts: plan.facts ?? {} }));
      return unknownAttempt(module, plan.unknown, plan.changes);
    }
    if (plan.changes.length === 0) return unchanged(plan);
    return parts.planOnly ? foreseen(parts, plan) : await apply(parts, plan);
  } catch (error) {
    if (error instanceof TaskFailure) return failedAttempt(error);
    throw error;
  }
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
  const { run, module, id, target } = parts;
  if (!module.apply) throw new ReeveError('module-bug', `module ${module.name} planned a change and cannot apply any`);
  const where = { host: target.host.name, task: id, ...(parts.item === undefined ? {} : { item: parts.item }) };
  run.emitter.emit({ type: 'effect-started', ...where, changes: shownChanges(plan.changes, parts.noLog) });
  await run.emitter.flush();
  const writing = new WritingTarget(target);
  let applied: Applied | undefined;
  try {
    applied = await module.apply(plan.next, writing);
  } finally {
    const undo = applied?.undo ?? writing.undo;
    run.emitter.emit({
      type: 'effect-ended',
      ...where,
      ok: applied !== undefined,
      ...(undo === undefined ? {} : { undo }),
    });
  }
  const message = applied.message ?? plan.message;
  return {
    status: 'changed',
    changes: plan.changes,
    result: baseResult(
      { changed: true, ...(message === undefined ? {} : { message }) },
      { ...plan.facts, ...applied.facts },
    ),
    ...(message === undefined ? {} : { message }),
  };
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
