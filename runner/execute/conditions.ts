import { evaluateCondition } from '../language/expression.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { Expression } from '../language/types.ts';
import { isUnknown, type Unknown } from '../language/unknown.ts';
import type { StepBase } from '../playbook/model.ts';
import type { StepContext } from './context.ts';
import { withFacts } from './gather.ts';
import { hostScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';

/** A condition's list: false wins, then unknown; all must be true. */
export async function allTrue(
  run: StepContext['run'],
  conditions: readonly Expression[],
  scope: LayeredScope,
): Promise<boolean | Unknown> {
  let unknown: Unknown | undefined;
  for (const condition of conditions) {
    const value = await withFacts(run, () => evaluateCondition(condition, scope));
    if (value === false) return false;
    if (isUnknown(value)) unknown ??= value;
  }
  return unknown ?? true;
}

/** The scope of a step on a host, with further names (`item`, the register under its name). */
export function scopeFor(
  context: StepContext,
  task: Pick<StepBase, 'vars'>,
  host: HostState,
  locals: Record<string, unknown> = {},
): LayeredScope {
  return hostScope(context.run, host, { vars: [task.vars, ...context.vars], locals: { ...context.locals, ...locals } });
}
