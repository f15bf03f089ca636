import type { Play, Step, Task } from '../../playbook/model.ts';

/** All steps of a list, blocks before what is in them. */
function* stepsIn(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    if (step.kind === 'block') {
      yield* stepsIn(step.steps);
      yield* stepsIn(step.rescue);
      yield* stepsIn(step.always);
    }
  }
}

/** All steps of a play, handlers and gate included. */
export function* stepsOf(play: Play): Generator<Step> {
  for (const section of [play.preTasks, play.tasks, play.postTasks, play.handlers, play.gate]) yield* stepsIn(section);
}

/** All tasks of a play, handlers and gate included. */
export function* tasksOf(play: Play): Generator<Task> {
  for (const step of stepsOf(play)) if (step.kind === 'task') yield step;
}
