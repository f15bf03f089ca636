import { EXIT, ReeveError } from '../errors.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { Compiled, Expression } from '../language/types.ts';
import { isUnknown, type Unknown } from '../language/unknown.ts';
import type { StepBase } from '../playbook/model.ts';
import type { StepContext } from './context.ts';
import { withFacts } from './gather.ts';

export interface Items {
  values: unknown[];
}

/**
 * The items of a step's loop: those of a list, or `{ key, value }` for each entry of a mapping.
 * @throws ReeveError `invalid-loop` when the value is neither.
 */
export async function evaluateItems(
  context: StepContext,
  step: StepBase,
  scope: LayeredScope,
): Promise<Items | Unknown> {
  const value = await withFacts(context.run, () => evaluate(step.loop!, scope));
  if (isUnknown(value)) return value;
  if (Array.isArray(value)) return { values: value };
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return { values: Object.entries(value).map(([key, item]) => ({ key, value: item })) };
  }
  throw new ReeveError('invalid-loop', `loop takes a list or a mapping, and got ${JSON.stringify(value)}`, {
    place: step.place,
    exitCode: EXIT.taskFailed,
  });
}

function evaluate(loop: Compiled | Expression, scope: LayeredScope): unknown {
  return 'evaluate' in loop ? loop.evaluate(scope) : loop.render(scope);
}

/** What an item and its number are called in its task. */
export function loopLocals({ loopControl }: StepBase, value: unknown, index: number): Record<string, unknown> {
  return { [loopControl?.item ?? 'item']: value, [loopControl?.index ?? 'index']: index };
}

const LABEL_LENGTH = 60;

/** What an item is called in events: `loop_control.label`, else the text of it, shortened. */
export function labelOf(step: StepBase, value: unknown, scope: LayeredScope): string {
  const label = step.loopControl?.label;
  const shown = label ? label.render(scope) : value;
  const text = typeof shown === 'string' ? shown : nameOf(shown);
  return text.length > LABEL_LENGTH ? `${text.slice(0, LABEL_LENGTH - 1)}…` : text;
}

function nameOf(value: unknown): string {
  if (isUnknown(value)) return 'not known yet';
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { name, key } = value as { name?: unknown; key?: unknown };
    if (typeof name === 'string') return name;
    if (typeof key === 'string') return key;
  }
  return JSON.stringify(value) ?? String(value);
}
