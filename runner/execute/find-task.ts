import type { Playbook, Step, Task } from '../playbook/model.ts';
import { type Effective, inherit, NOTHING_INHERITED, type StepContext } from './context.ts';

/** A task of a playbook, with what it inherits. */
export interface FoundTask {
  task: Task;
  inherited: Effective;
  vars: StepContext['vars'];
}

/** Every task of a playbook by id. */
export function indexTasks(playbook: Playbook): ReadonlyMap<string, FoundTask> {
  const found = new Map<string, FoundTask>();
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

/** The task that an instance of it (in a loop, a batch, a later section) belongs to. */
export function findTask(tasks: ReadonlyMap<string, FoundTask>, id: string): FoundTask | undefined {
  return tasks.get(id.replace(/[#~@].*$/, ''));
}
