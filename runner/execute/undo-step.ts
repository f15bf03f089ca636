import { EXIT, ReeveError } from '../errors.ts';
import type { Compiled } from '../language/types.ts';
import { isUnknown } from '../language/unknown.ts';
import { TaskFailure } from '../module.ts';
import { scopeFor } from './conditions.ts';
import { inherit, NOTHING_INHERITED, newPlayState, type StepContext } from './context.ts';
import { announceEffect } from './effect.ts';
import { type FoundTask, findTask } from './find-task.ts';
import { placeTask } from './placement.ts';
import { playContext } from './play.ts';
import { hostState, type RunState } from './run-state.ts';
import { Sources } from './sources.ts';
import { WritingTarget } from './target.ts';
import { asReeveError, type TaskRun } from './task-run.ts';
import type { UndoStep } from './undo-plan.ts';

/**
 * Takes one change back, on the host where it was made, and journals it.
 * @throws ReeveError naming host and task when it does not go back.
 */
export async function undoStep(run: RunState, step: UndoStep, tasks: ReadonlyMap<string, FoundTask>): Promise<void> {
  const { effect, host, task } = step;
  await announceEffect(run, { type: 'undo-started', effect, host, task, changes: step.changes });
  try {
    await undoModule(run, step, tasks);
    run.emitter.emit({ type: 'undo-ended', effect, host, task, ok: true });
  } catch (thrown) {
    const error = asReeveError(thrown, { context: { run } as StepContext, settings: NOTHING_INHERITED });
    run.emitter.emit({ type: 'undo-ended', effect, host, task, ok: false, message: error.message });
    throw new ReeveError(error.code, `${host}: ${task.name} cannot be undone: ${error.message}`, {
      hint: error.hint ?? 'mend it and run the rollback again; what is undone already is left alone',
      exitCode: error.exitCode,
      place: error.place,
    });
  }
}

async function undoModule(run: RunState, step: UndoStep, tasks: ReadonlyMap<string, FoundTask>): Promise<void> {
  const found = findTask(tasks, step.task.id);
  const module = run.modules.get(step.task.module);
  if (!found || !module?.undo) {
    throw new ReeveError('task-gone', `the playbook has no task ${step.task.id} any more`, { exitCode: EXIT.refused });
  }
  const play = newPlayState(run.playbook.plays[step.play]!, step.play);
  const context = {
    ...playContext(run, play, 0, new Sources(run.playbook.directory)),
    vars: found.vars,
    inherited: found.inherited,
    section: 'rollback',
  };
  const host = hostState(run, step.host);
  // Who the delegate was is recorded: what named it then (a loop's item) may not be known now.
  const settings = {
    ...inherit(found.inherited, found.task),
    ...(step.delegate === undefined ? {} : { delegateTo: constant(step.delegate) }),
  };
  const { id, name } = step.task;
  const taskRun: TaskRun = {
    ...{ context, task: found.task, module, host, settings, id, warnings: [], recordedItems: [] },
    reference: { ...step.task, name, section: 'rollback' },
  };
  const placed = await placeTask(taskRun, scopeFor(context, found.task, host));
  if (isUnknown(placed)) throw new TaskFailure(placed.because);
  try {
    const target = new WritingTarget(placed.target);
    await module.undo(step.undo, target);
    await target.jobs.clear();
  } finally {
    placed.release();
  }
}

function constant(text: string): Compiled {
  return { isStatic: true, references: [], render: () => text };
}
