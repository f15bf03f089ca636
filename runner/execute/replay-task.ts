import type { TaskEnded } from '../events.ts';
import { MASK } from '../journal/masker.ts';
import { type Attempt, baseResult } from './attempt.ts';
import { scopeFor } from './conditions.ts';
import { withFacts } from './gather.ts';
import { notify } from './handlers.ts';
import { fromEvent } from './recorded-value.ts';
import type { RunState } from './run-state.ts';
import type { TaskRun } from './task-run.ts';

/**
 * Brings a host to where a task left it that the journal says is done: its variables and the handlers it notified.
 * False when it has to be run again after all: its result holds a secret, which no journal keeps, and it only reads.
 */
export async function replayTask(taskRun: TaskRun, ended: TaskEnded): Promise<boolean> {
  const { context, task, host, module, settings } = taskRun;
  const needsSecret =
    task.register !== undefined && (settings.noLog === true || JSON.stringify(ended.result ?? {}).includes(MASK));
  if (needsSecret && (module.kind === 'check' || ended.status === 'ok')) return false;
  if (module.setsVariables && ended.status !== 'skipped') {
    Object.assign(host.data, await withFacts(context.run, () => task.args.render(scopeFor(context, task, host))));
  }
  if (ended.status === 'changed') await notify(context, taskRun, true);
  return true;
}

/** An item of a loop that an earlier run has done, as an attempt; undefined when it is to be run. */
export function replayedItem({ context, recordedItems }: TaskRun, index: number): Attempt | undefined {
  const item = recordedItems[index];
  if (!item || JSON.stringify(item.result ?? {}).includes(MASK)) return undefined;
  const result = fromEvent(item.result ?? baseResult({}, {}), readArtefact(context.run)) as Record<string, unknown>;
  return {
    status: item.status,
    result,
    changes: item.changes ?? [],
    ...(item.message === undefined ? {} : { message: item.message }),
  };
}

/** The value of a register as the journal has it. */
export function restoredResult(run: RunState, ended: TaskEnded): Record<string, unknown> {
  return fromEvent(ended.result ?? baseResult({}, {}), readArtefact(run)) as Record<string, unknown>;
}

function readArtefact(run: RunState): (path: string) => string {
  return run.readArtefact ?? ((path) => path);
}
