import type { RunEvent, TaskEnded } from '../events.ts';
import { inherit } from './context.ts';
import { type FoundTask, findTask } from './find-task.ts';
import { restoredValue } from './restored-result.ts';
import { hostState, type RunState } from './run-state.ts';

/**
 * Gives the hosts the registers and variables that a run had when it ended: where a change was made and what `rollback:`
 * tasks say may depend on them. What was not recorded (`no_log`) stays unknown, and using it is an error.
 */
export function restoreRegisters(
  run: RunState,
  tasks: ReadonlyMap<string, FoundTask>,
  events: readonly RunEvent[],
): void {
  const batches = new Map<string, string[]>();
  for (const event of events) {
    if (event.type === 'batch-started') batches.set(`${event.play} ${event.batch}`, event.hosts);
    else if (event.type === 'task-ended') {
      const found = findTask(tasks, event.task.id);
      if (found) restoreOne(run, found, event, batches.get(`${event.play} ${event.batch}`));
    }
  }
}

function restoreOne(run: RunState, { task, inherited }: FoundTask, ended: TaskEnded, batch?: string[]): void {
  const good = ended.status === 'ok' || ended.status === 'changed';
  if (good && ended.args && run.modules.get(task.module)?.setsVariables)
    Object.assign(hostState(run, ended.host).data, ended.args);
  if (task.register === undefined || !ended.result) return;
  // What run_once registers is every host's, unless nobody was willing but for the last one asked.
  const settings = inherit(inherited, task);
  const module = run.modules.get(task.module)!;
  const value = restoredValue({ run, task, module, noLog: settings.noLog === true }, ended.result);
  const hosts = settings.runOnce === true ? (batch ?? [ended.host]) : [ended.host];
  for (const name of hosts) hostState(run, name).data[task.register] = value;
}
