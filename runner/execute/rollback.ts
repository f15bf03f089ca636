import { EXIT, ReeveError } from '../errors.ts';
import type { Playbook, Step, Task } from '../playbook/model.ts';
import { announceEffect } from './attempt.ts';
import { scopeFor } from './conditions.ts';
import { type Effective, inherit, NOTHING_INHERITED, type PlayState, type StepContext } from './context.ts';
import { takeLocks } from './lock.ts';
import { placeTask } from './placement.ts';
import { playContext } from './play.ts';
import { hostState, type RunParts, type RunState } from './run-state.ts';
import { Sources } from './sources.ts';
import { endRun, nodesSoFar, startRun } from './start-run.ts';
import { runSteps } from './steps.ts';
import { WritingTarget } from './target.ts';
import { asReeveError, type TaskRun } from './task-run.ts';
import type { UndoStep } from './undo-plan.ts';

/**
 * Takes the changes of a run back, the last one first, one after another; then runs the playbook's own `rollback:` tasks of
 * each play, the last play first. Stops at the first change that does not go back: what lies under it must not be pulled
 * away. Everything is journaled, and what is undone is not undone again by the next try.
 *
 * @returns the exit code.
 */
export async function rollBack(parts: RunParts, steps: readonly UndoStep[], keepPlays: number): Promise<number> {
  const run = startRun(parts);
  // What a change left a node in stays so until that change is taken back.
  run.nodes = nodesSoFar(parts.recorded?.() ?? []);
  let error: ReeveError | undefined;
  try {
    const release = await takeLocks(run);
    try {
      error = await undoChanges(run, steps, keepPlays);
    } finally {
      await release();
    }
  } catch (thrown) {
    error = asError(thrown);
    // A lock that is taken: nothing was begun.
    run.emitter.emit({
      type: 'notice',
      level: 'error',
      message: error.message,
      ...(error.hint ? { hint: error.hint } : {}),
    });
  }
  return endRun(run, error);
}

/** The same inside of a run that goes on afterwards. Gives what stopped it. */
export async function undoChanges(
  run: RunState,
  steps: readonly UndoStep[],
  keepPlays: number,
): Promise<ReeveError | undefined> {
  let error: ReeveError | undefined;
  run.emitter.emit({ type: 'rollback-started', steps: steps.filter((step) => step.cannot === undefined).length });
  const failures = new Map([...run.hosts.values()].map((host) => [host, host.failed]));
  for (const host of failures.keys()) host.failed = undefined;
  try {
    await undoAll(run, steps);
    await runRollbackTasks(run, steps, keepPlays);
  } catch (thrown) {
    error = asError(thrown);
  }
  for (const [host, failed] of failures) host.failed ??= failed;
  run.emitter.emit({ type: 'rollback-ended', ok: error === undefined, ...(error ? { message: error.message } : {}) });
  return error;
}

function asError(thrown: unknown): ReeveError {
  if (thrown instanceof ReeveError) return thrown;
  return new ReeveError('unexpected', String((thrown as Error).stack ?? thrown));
}

async function undoAll(run: RunState, steps: readonly UndoStep[]): Promise<void> {
  const tasks = indexTasks(run.playbook);
  const sources = new Sources(run.playbook.directory);
  for (const step of steps) {
    if (step.cannot !== undefined) continue;
    if (run.interrupt.requested) {
      throw run.interrupt.halted ?? new ReeveError('interrupted', 'interrupted', { exitCode: EXIT.interrupted });
    }
    await undoStep(run, step, tasks, sources);
  }
}

async function undoStep(
  run: RunState,
  step: UndoStep,
  tasks: ReadonlyMap<string, Found>,
  sources: Sources,
): Promise<void> {
  const { effect, host, task } = step;
  await announceEffect(run, { type: 'undo-started', effect, host, task, changes: step.changes });
  try {
    await undoModule(run, step, tasks, sources);
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

async function undoModule(
  run: RunState,
  step: UndoStep,
  tasks: ReadonlyMap<string, Found>,
  sources: Sources,
): Promise<void> {
  const found = tasks.get(step.task.id.replace(/[#~@][\d#~@]*$/, ''));
  const module = run.modules.get(step.task.module);
  if (!found || !module?.undo) {
    throw new ReeveError('task-gone', `the playbook has no task ${step.task.id} any more`, { exitCode: EXIT.refused });
  }
  const playState: PlayState = {
    play: run.playbook.plays[step.play]!,
    index: step.play,
    once: new Map(),
    aborted: false,
  };
  const context = {
    ...playContext(run, playState, 0, sources),
    vars: found.vars,
    inherited: found.inherited,
    section: 'rollback',
  };
  const host = hostState(run, step.host);
  const settings = inherit(found.inherited, found.task);
  const { id, name } = step.task;
  const taskRun: TaskRun = {
    ...{ context, task: found.task, module, host, settings, id, warnings: [], recordedItems: [] },
    reference: { ...step.task, name, section: 'rollback' },
  };
  const placed = await placeTask(taskRun, scopeFor(context, found.task, host));
  try {
    const target = new WritingTarget(placed.target);
    await module.undo(step.undo, target);
    await target.jobs.clear();
  } finally {
    placed.release();
  }
}

/** A play's own `rollback:` tasks, on the hosts that it had changed. */
async function runRollbackTasks(run: RunState, steps: readonly UndoStep[], keepPlays: number): Promise<void> {
  const sources = new Sources(run.playbook.directory);
  for (const [index, play] of [...run.playbook.plays.entries()].reverse()) {
    if (index < keepPlays || play.rollback.length === 0) continue;
    const names = new Set(steps.filter((step) => step.play === index).map((step) => step.host));
    if (names.size === 0) continue;
    const playState: PlayState = { play, index, once: new Map(), aborted: false };
    const hosts = [...names].map((name) => hostState(run, name));
    await runSteps({ ...playContext(run, playState, 0, sources), section: 'rollback' }, play.rollback, hosts);
    const failed = hosts.find((host) => host.failed);
    if (failed)
      throw new ReeveError('task-failed', `a rollback task of play "${play.name}" failed`, {
        exitCode: EXIT.taskFailed,
      });
  }
}

/** A task of a playbook, with what it inherits. */
export interface Found {
  task: Task;
  inherited: Effective;
  vars: StepContext['vars'];
}

/** Every task of a playbook by id, with what it inherits. */
export function indexTasks(playbook: Playbook): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  const visit = (steps: readonly Step[], inherited: Effective, vars: StepContext['vars']): void => {
    for (const step of steps) {
      if (step.kind === 'task') found.set(step.id, { task: step, inherited, vars });
      else visit([...step.steps, ...step.rescue, ...step.always], inherit(inherited, step), [step.vars, ...vars]);
    }
  };
  for (const play of playbook.plays) {
    const steps = [...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers, ...play.gate];
    visit(steps, inherit(NOTHING_INHERITED, play), [play.vars]);
  }
  return found;
}
