import { EXIT, ReeveError } from '../errors.ts';
import { newPlayState } from './context.ts';
import { indexTasks } from './find-task.ts';
import { releaseLocks, takeLocks } from './lock.ts';
import { nodeStateText } from './node-states.ts';
import { playContext } from './play.ts';
import { restoreRegisters } from './restore-registers.ts';
import { hostState, type RunParts, type RunState } from './run-state.ts';
import { Sources } from './sources.ts';
import { endRun, startRun } from './start-run.ts';
import { runSteps } from './steps.ts';
import type { RollbackTasks, UndoPlan } from './undo-plan.ts';
import { undoStep } from './undo-step.ts';

/**
 * Takes the changes of a run back, the last one first, one after another; after those of a play come its own `rollback:`
 * tasks. Stops at the first change that does not go back: what lies under it must not be pulled away. Everything is
 * journaled, and what is undone is not undone again by the next try.
 * The hosts get back what they had registered.
 *
 * @returns the exit code.
 */
export async function rollBack(parts: RunParts, plan: UndoPlan, keepPlays: number): Promise<number> {
  const run = startRun(parts);
  let error: ReeveError | undefined;
  try {
    await takeLocks(run);
    try {
      restoreRegisters(run, indexTasks(run.playbook), parts.recorded?.() ?? []);
      error = await undoChanges(run, plan, keepPlays);
    } finally {
      await releaseLocks(run);
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

/**
 * The same inside of a run that then ends. Gives what stopped it. The locks are given back before the end is recorded: a
 * process that is killed between the two has not ended its rollback, and the next one takes the lock of its own run at once.
 * The other way round the record would say that nothing is left to do, and the lock would lie there.
 */
export async function undoChanges(run: RunState, plan: UndoPlan, keepPlays: number): Promise<ReeveError | undefined> {
  let error: ReeveError | undefined;
  const steps = plan.steps.filter(({ cannot }) => cannot === undefined).length;
  run.emitter.emit({ type: 'rollback-started', steps, ...(keepPlays === 0 ? {} : { keeps: keepPlays }) });
  const failures = new Map([...run.hosts.values()].map((host) => [host, host.failed]));
  for (const host of failures.keys()) host.failed = undefined;
  try {
    await undoPlays(run, plan);
  } catch (thrown) {
    error = withNodes(run, asError(thrown));
  }
  for (const [host, failed] of failures) host.failed ??= failed;
  await releaseLocks(run);
  run.emitter.emit({
    ...{ type: 'rollback-ended', ok: error === undefined },
    ...(error ? { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) } : {}),
  });
  return error;
}

function asError(thrown: unknown): ReeveError {
  if (thrown instanceof ReeveError) return thrown;
  return new ReeveError('unexpected', String((thrown as Error).stack ?? thrown));
}

/** A rollback that stops leaves nodes between two states: that belongs into what it says. */
function withNodes(run: RunState, error: ReeveError): ReeveError {
  const left = [...run.nodes].map(([node, aspects]) => `node ${node} is left ${nodeStateText(aspects)}`);
  if (left.length === 0) return error;
  const { code, hint, exitCode, place } = error;
  return new ReeveError(code, [error.message, ...left].join('; '), { hint, exitCode, place });
}

/** Play by play, the last one first: its changes, then its own tasks. */
async function undoPlays(run: RunState, { steps, tasks }: UndoPlan): Promise<void> {
  const index = indexTasks(run.playbook);
  const plays = new Set([...steps, ...tasks].map(({ play }) => play));
  for (const play of [...plays].sort((a, b) => b - a)) {
    for (const step of steps) {
      if (step.play !== play || step.cannot !== undefined) continue;
      stopWhenInterrupted(run);
      await undoStep(run, step, index);
    }
    stopWhenInterrupted(run);
    for (const own of tasks) if (own.play === play) await runRollbackTasks(run, own);
  }
}

function stopWhenInterrupted({ interrupt }: RunState): void {
  if (!interrupt.requested) return;
  throw interrupt.halted ?? new ReeveError('interrupted', 'interrupted', { exitCode: EXIT.interrupted });
}

/** A play's own `rollback:` tasks, on the hosts that it had changed. */
async function runRollbackTasks(run: RunState, { play: index, hosts: names }: RollbackTasks): Promise<void> {
  const play = run.playbook.plays[index]!;
  const playState = newPlayState(play, index);
  const hosts = names.map((name) => hostState(run, name));
  const sources = new Sources(run.playbook.directory);
  const context = { ...playContext(run, playState, 0, sources), hosts, section: 'rollback' };
  await runSteps(context, play.rollback, hosts);
  const failed = hosts.filter((host) => host.failed).map(({ name }) => name);
  if (failed.length > 0) {
    throw new ReeveError('task-failed', `a rollback task of play "${play.name}" failed on ${failed.join(', ')}`, {
      hint: 'mend it and run the rollback again; what is done already is left alone',
      exitCode: EXIT.taskFailed,
    });
  }
  stopWhenInterrupted(run);
}
