import { EXIT, ReeveError } from '../errors.ts';
import type { AnyModule } from '../module.ts';
import type { Playbook, Step, Task } from '../playbook/model.ts';

/**
 * `check_mode: false` means «run this for real even in check mode». That is fine for what only reads; for anything else it
 * would make `--check` a lie, so such a run is refused before it begins.
 * @throws ReeveError `refused` (exit code 6) with the task's place.
 */
export function refuseUncheckable(playbook: Playbook, modules: ReadonlyMap<string, AnyModule>): void {
  for (const play of playbook.plays) {
    const steps = [...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers, ...play.gate];
    for (const task of tasksIn(steps, play.checkMode)) {
      const module = modules.get(task.module);
      if (module?.kind !== 'check' && !onlyLooks(module, task)) throw refusal(task);
    }
  }
}

/** Every task for which check_mode is false, said by itself or by what is around it. */
function tasksIn(steps: readonly Step[], outer: boolean | undefined): Task[] {
  return steps.flatMap((step) => {
    const checkMode = step.checkMode ?? outer;
    if (step.kind === 'block') return tasksIn([...step.steps, ...step.rescue, ...step.always], checkMode);
    return checkMode === false ? [step] : [];
  });
}

function onlyLooks(module: AnyModule | undefined, task: Task): boolean {
  const written = task.argsAt.value;
  const isMapping = written !== null && typeof written === 'object';
  return module?.looks?.(isMapping ? (written as Record<string, unknown>) : {}) === true;
}

function refusal(task: Task): ReeveError {
  return new ReeveError('refused', `check_mode: false on ${task.module} would write during --check`, {
    place: task.place,
    hint: 'a command that only reads says so with `reads: true`, and runs in check mode then',
    exitCode: EXIT.refused,
  });
}
