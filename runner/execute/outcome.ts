import { EXIT, type ReeveError } from '../errors.ts';
import type { TaskEnded, TaskStatus } from '../events.ts';
import { Unknown } from '../language/unknown.ts';
import { type AnyModule, type Applied, type Change, type Plan, TaskFailure } from '../module.ts';
import type { Task } from '../playbook/model.ts';

/** What one try of one task (or of one item of its loop) on one host came to. */
export interface Attempt {
  status: TaskStatus;
  /** What `register` gets; may hold Unknown values in check mode. */
  result: Record<string, unknown>;
  changes: Change[];
  message?: string;
  error?: ReeveError;
  /** What the loop's item is called. */
  item?: string;
}

/** Something was changed. */
export function changed(plan: Plan, applied: Applied): Attempt {
  const message = applied.message ?? plan.message;
  const said = message === undefined ? {} : { message };
  const facts = { ...plan.facts, ...applied.facts };
  return { status: 'changed', changes: plan.changes, result: baseResult({ changed: true, ...said }, facts), ...said };
}

/** All was as it should be. */
export function unchanged(plan: Plan): Attempt {
  const message = plan.message;
  return {
    status: 'ok',
    changes: [],
    result: baseResult({ changed: false, ...(message === undefined ? {} : { message }) }, plan.facts ?? {}),
    ...(message === undefined ? {} : { message }),
  };
}

/**
 * Check mode: nothing can be said before something else has happened. `because` is what those who use its result are told;
 * `message` what is said of the task itself, the same unless given.
 */
export function unknownAttempt(
  module: AnyModule | undefined,
  because: string,
  { changes = [], message = because }: { changes?: Change[]; message?: string } = {},
): Attempt {
  const unknown = new Unknown(because);
  const names = ['changed', 'failed', 'skipped', 'message', ...Object.keys(module?.returns.properties ?? {})];
  return {
    status: 'unknown',
    changes,
    message,
    result: { ...Object.fromEntries(names.map((name) => [name, unknown])), unknown: true },
  };
}

/** What the module, or the way to the host, could not do. */
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

/** Of a loop that failed some items have changed something: whoever goes on all the same must not go without the handlers. */
export function isPartlyDone(task: Task, { status, result }: Pick<TaskEnded, 'status' | 'result'>): boolean {
  return task.loop !== undefined && (status === 'failed' || status === 'unreachable') && result?.changed === true;
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
