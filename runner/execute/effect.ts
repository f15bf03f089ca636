import { ReeveError } from '../errors.ts';
import type { EventBody } from '../events.ts';
import { type AnyModule, type Applied, type Plan, TaskFailure } from '../module.ts';
import type { AttemptParts } from './attempt.ts';
import { confirmLocks } from './lock.ts';
import { type Attempt, changed, failedAttempt, shownChanges } from './outcome.ts';
import type { EffectKey } from './recorded-effects.ts';
import { forEvent, hiddenResult } from './recorded-value.ts';
import type { Replay } from './replay.ts';
import { replayedEffect } from './replay-effect.ts';
import type { RunState } from './run-state.ts';
import { WritingTarget } from './target.ts';

/** Makes the planned changes, between their announcement and the record of their end. */
export async function apply(parts: AttemptParts, plan: Plan): Promise<Attempt> {
  const { run, module, target } = parts;
  if (!module.apply) throw new ReeveError('module-bug', `module ${module.name} planned a change and cannot apply any`);
  const where = whereOf(parts);
  const writing = new WritingTarget(target, parts.item);
  await announceEffect(run, {
    ...{ type: 'effect-started', ...where, changes: shownChanges(plan.changes, parts.noLog) },
    ...(parts.delegated ? { delegate: target.where.host.name } : {}),
    ...recordedUndo(parts, plan.undo),
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
    run.emitter.emit({
      type: 'effect-ended',
      ...where,
      ok: applied !== undefined,
      ...recordedUndo(parts, applied?.undo ?? writing.recorded.undo),
      ...(result ? { result } : {}),
    });
    if (attempt) await writing.jobs.clear();
  }
}

/** With no_log nothing is recorded that shows what was changed, at the price of the way back. */
function recordedUndo({ module, noLog }: AttemptParts, undo: unknown): { undo?: unknown } {
  return undo === undefined || (noLog && module.undoShowsContent) ? {} : { undo };
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

/** Set for an action that ended before the run died: what it came to, which no plan could tell now. */
export async function recordedBefore(parts: AttemptParts, replay: Replay): Promise<Attempt | undefined> {
  const done = replay.effects.take(whereOf(parts));
  if (done && onHost(parts.module)) await new WritingTarget(parts.target, parts.item).jobs.clearLeft();
  return done && replayedEffect(parts, done);
}

/** Set when the run had begun these changes before it died, and they are made. */
export async function doneBefore(parts: AttemptParts, plan: Plan, replay: Replay): Promise<Attempt | undefined> {
  const where = whereOf(parts);
  const announced = replay.effects.takeAnnounced(where);
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

/** Of an effect, in events and in the record of an earlier process. */
function whereOf({ target, id, item }: AttemptParts): EffectKey {
  return { host: target.host.name, task: id, ...(item === undefined ? {} : { item }) };
}

/** Whether the module works on the host, not on the cluster or here. */
export function onHost(module: AnyModule): boolean {
  return (module.on ?? 'host') === 'host';
}
