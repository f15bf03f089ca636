import { EXIT, ReeveError } from '../errors.ts';
import type { TaskReference } from '../events.ts';
import type { AnyModule } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import type { Effective, StepContext } from './context.ts';
import type { HostState } from './host-state.ts';
import type { RecordedItem } from './replay.ts';

/** milliseconds that a task may take when it does not say otherwise. */
export const DEFAULT_TASK_TIMEOUT = 30 * 60_000;

/** Everything about one task on one host that does not change between its items and tries. */
export interface TaskRun {
  context: StepContext;
  task: Task;
  module: AnyModule;
  host: HostState;
  settings: Effective;
  /** The task's id and, inside looped blocks, which round. */
  id: string;
  reference: TaskReference;
  warnings: string[];
  /** What set-vars has set, of all items of its loop. */
  variables?: Record<string, unknown>;
  /** The arguments of the last try, for reports. */
  args?: Record<string, unknown>;
  /** Items of the loop that an earlier, cut-off run of it has done. */
  recordedItems: readonly (RecordedItem | undefined)[];
  /** An earlier process of the run has changed something with it: its handlers must know, whatever it finds now. */
  hadChanged?: boolean;
}

/** Errors that reeve does not understand keep their stack: they are bugs, and say so. */
export function asReeveError(error: unknown, { context, settings }: Pick<TaskRun, 'context' | 'settings'>): ReeveError {
  if (error instanceof ReeveError) return error;
  if (context.run.interrupt.signal.aborted)
    return new ReeveError('interrupted', 'interrupted', { exitCode: EXIT.interrupted });
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new ReeveError(
      'task-timeout',
      `not done within its time limit of ${(settings.timeout ?? DEFAULT_TASK_TIMEOUT) / 1000} s`,
      {
        hint: 'give the task a larger `timeout`',
        exitCode: EXIT.taskFailed,
      },
    );
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ReeveError('unexpected', stack, {
    cause: error,
    hint: 'this is a bug in reeve: please report it with the lines above',
  });
}
