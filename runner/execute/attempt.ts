import type { LayeredScope } from '../language/scope.ts';
import { findUnknown, isUnknown, Unknown } from '../language/unknown.ts';
import { type AnyModule, type Plan, TaskFailure } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import { apply, doneBefore, onHost, recordedBefore } from './effect.ts';
import { withFacts } from './gather.ts';
import { type Attempt, baseResult, failedAttempt, unchanged, unknownAttempt } from './outcome.ts';
import { renderArgs } from './render-args.ts';
import type { RunState } from './run-state.ts';
import { shownArgs } from './shown-args.ts';
import { ReadingTarget, type TargetParts } from './target.ts';

export interface AttemptParts {
  run: RunState;
  task: Task;
  module: AnyModule;
  target: TargetParts;
  scope: LayeredScope;
  noLog: boolean;
  /** `delegate_to` says where it happens. */
  delegated: boolean;
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
  if (rendered instanceof Unknown) {
    const message = await waitOfKnown(parts);
    return unknownAttempt(module, rendered.because, message === undefined ? {} : { message });
  }
  parts.args = shownArgs(module, rendered);
  const waitsFor = parts.planOnly && describedOnly(parts) ? module.waits?.what(rendered) : undefined;
  if (waitsFor !== undefined)
    return unknownAttempt(module, hasNotRun(parts), { message: `would wait for ${waitsFor}` });
  const replay = parts.planOnly ? undefined : parts.run.replay;
  const recorded = replay && (await recordedBefore(parts, replay));
  if (recorded) return recorded;
  try {
    const plan = await module.plan(rendered, new ReadingTarget(parts.target, parts.item));
    if (plan.unknown !== undefined) {
      // Outside of check mode nothing is pending that could still bring what is missing.
      if (!parts.planOnly) return failedAttempt(new TaskFailure(plan.unknown, { facts: plan.facts ?? {} }));
      return unknownAttempt(module, plan.unknown, plan.changes ? { changes: plan.changes } : {});
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

/** In a real run nobody expects that a task only plans, and reads «changed» as done. */
function planMessage({ run }: AttemptParts, { message }: Plan): { message?: string } {
  const said = run.settings.check ? message : ['only planned (check_mode)', message].filter(Boolean).join(': ');
  return said === undefined ? {} : { message: said };
}

/** Why what depends on a task is not known. */
function hasNotRun({ name }: AttemptParts): string {
  return `"${name}" has not run`;
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

/** Check mode, something to change: facts are what the module predicts, the others unknown. */
function foreseen(parts: AttemptParts, plan: Plan): Attempt {
  const { run, module } = parts;
  const because = hasNotRun(parts);
  // A task with `check_mode: true` in a real run must not make later tasks, which do run, believe it has happened.
  if (run.settings.check) Object.assign(run.foreseen, plan.foresees);
  if (module.unpredictable || (module.kind === 'action' && plan.predicted === undefined)) {
    const message = `would ${plan.changes.map((change) => change.summary).join(', ')}`;
    const unknown = unknownAttempt(module, because, { changes: plan.changes, message });
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
    ...planMessage(parts, plan),
  };
}
