import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when the condition holds. The test's own time limit ends a wait for what never comes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}
