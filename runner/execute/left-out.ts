import { Unknown } from '../language/unknown.ts';
import type { Block, Step, Task } from '../playbook/model.ts';
import type { HostState } from './host-state.ts';
import { baseResult, unknownAttempt } from './outcome.ts';
import type { RunState } from './run-state.ts';

/** The block's condition was false. */
export function registerSkipped(block: Block, host: HostState, message: string): void {
  for (const task of tasksIn([...block.steps, ...block.always])) {
    if (task.register !== undefined) host.data[task.register] = baseResult({ skipped: true, message }, {});
  }
}

/** Check mode: whether the block runs is not known, and so is all that it may leave, over what was there before too. */
export function registerUnknown({ modules }: RunState, block: Block, host: HostState, because: string): void {
  for (const task of tasksIn([...block.steps, ...block.rescue, ...block.always])) {
    const module = modules.get(task.module);
    if (task.register !== undefined) host.data[task.register] = unknownAttempt(module, because).result;
    if (!module?.setsVariables) continue;
    for (const name of Object.keys((task.argsAt.value ?? {}) as object)) host.data[name] = new Unknown(because);
  }
}

function tasksIn(steps: readonly Step[]): Task[] {
  return steps.flatMap((step) =>
    step.kind === 'task' ? [step] : tasksIn([...step.steps, ...step.rescue, ...step.always]),
  );
}
