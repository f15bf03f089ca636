import { EXIT, ReeveError } from '../errors.ts';
import { parseDuration } from '../language/duration.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { Compiled } from '../language/types.ts';
import { isUnknown, type Unknown } from '../language/unknown.ts';
import type { StepBase } from '../playbook/model.ts';
import { withFacts } from './gather.ts';
import type { RunState } from './run-state.ts';

const DEFAULT_RETRIES = 3;
const DEFAULT_DELAY = 5_000;

export interface TrySettings {
  /** The first one counts. */
  tries: number;
  /** milliseconds before the second try. */
  delay: number;
}

/** Whether a task or a block is tried again at all. */
export function isRetried(step: StepBase): boolean {
  return step.until !== undefined || step.retries !== undefined;
}

/**
 * How often a task or block is tried, and what lies between two tries; Unknown in check mode where that is.
 * @throws ReeveError `invalid-retries`, `invalid-duration`.
 */
export async function trySettings(run: RunState, step: StepBase, scope: LayeredScope): Promise<TrySettings | Unknown> {
  if (!isRetried(step)) return { tries: 1, delay: 0 };
  const render = async (compiled: Compiled | undefined) => compiled && withFacts(run, () => compiled.render(scope));
  const retries = await render(step.retries);
  if (isUnknown(retries)) return retries;
  const delay = await render(step.delay);
  if (isUnknown(delay)) return delay;
  return {
    tries: 1 + (retries === undefined ? DEFAULT_RETRIES : wholeNumber(retries)),
    delay: delay === undefined ? DEFAULT_DELAY : parseDuration(delay as string | number),
  };
}

function wholeNumber(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && /^\d+$/.test(text.trim())) return Number(text);
  throw new ReeveError('invalid-retries', `retries takes a whole number, and got ${JSON.stringify(value)}`, {
    exitCode: EXIT.taskFailed,
  });
}
