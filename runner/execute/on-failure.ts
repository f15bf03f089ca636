import { EXIT, ReeveError } from '../errors.ts';
import type { Play } from '../playbook/model.ts';
import { withCurrentIds } from './current-ids.ts';
import { onFailure } from './failure-mode.ts';
import { undoChanges } from './rollback.ts';
import type { RunState } from './run-state.ts';
import { planUndo, refusalOf } from './undo-plan.ts';

/**
 * What follows when hosts failed in a play, or its gate refused. A rollback that a play asks for takes back that play, one
 * that the command line asks for takes back the run.
 * @returns what to tell at the end of the run; undefined when there is nothing to add.
 */
export async function afterFailure(run: RunState, play: Play, index: number): Promise<ReeveError | undefined> {
  const id = run.emitter.run;
  const wanted = onFailure(run, play);
  // Whoever interrupts decides what comes next.
  if (run.settings.check || run.interrupt.requested) return undefined;
  if (wanted === 'pause') {
    return new ReeveError('paused', `paused after a failure in play "${play.name}"`, {
      hint: `mend it, then \`reeve resume ${id}\` goes on, or \`reeve rollback ${id}\` takes the changes back`,
      exitCode: EXIT.taskFailed,
    });
  }
  if (wanted !== 'rollback' || !run.recorded) return undefined;
  await run.emitter.flush();
  const from = play.onFailure === 'rollback' ? index : 0;
  return takeBack(run, from, from === 0 ? 'its changes were' : `the changes of play "${play.name}" were`);
}

async function takeBack(run: RunState, from: number, what: string): Promise<ReeveError> {
  const id = run.emitter.run;
  const plan = planUndo(withCurrentIds(run.recorded!()), run.modules, run.playbook, from);
  const refusal = refusalOf(plan.steps);
  // Nothing is better than a part: what is left is what the failure left, and nobody has to guess.
  if (refusal) {
    return new ReeveError('rollback-refused', `nothing was taken back: ${refusal.message}`, {
      hint: refusal.hint ?? `mend it, then \`reeve resume ${id}\` goes on`,
      exitCode: EXIT.taskFailed,
    });
  }
  const left = plan.steps.filter((step) => step.cannot !== undefined);
  const error = await undoChanges(run, plan, from);
  if (error) {
    // Without it the plays before would go back as well, which nobody has asked for.
    const to = from === 0 ? '' : ` --to "${run.playbook.plays[from - 1]!.name}"`;
    return new ReeveError('rollback-failed', `the rollback stopped: ${error.message}`, {
      hint: `mend it, then \`reeve rollback ${id}${to}\` goes on with it`,
      exitCode: EXIT.taskFailed,
    });
  }
  const except = left.map(({ host, task, cannot }) => `${host}: ${task.name} (${cannot})`);
  const message = `${what} taken back${except.length > 0 ? `, except ${except.join(', ')}` : ''}`;
  return new ReeveError('rolled-back', message, { exitCode: EXIT.taskFailed });
}
