import type { AnyModule } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import { LostSecret, withoutMasks } from './lost-secret.ts';
import { baseResult } from './outcome.ts';
import { fromEvent } from './recorded-value.ts';
import type { RunState } from './run-state.ts';

/** Whose result it is. */
export interface ResultOf {
  run: RunState;
  task: Task;
  module: AnyModule;
  noLog: boolean;
}

/**
 * A result as the journal has it, for a register. What is masked in it, and all that no_log has kept out of it, is marked
 * as lost: it is an error to use it.
 */
export function restoredValue(of: ResultOf, recorded: Record<string, unknown> | undefined): Record<string, unknown> {
  const name = of.task.register ?? of.task.module;
  const read = of.run.readArtefact ?? ((path: string) => path);
  if (of.noLog) return hiddenMembers(of.module, recorded ?? {}, name);
  return withoutMasks(fromEvent(recorded ?? baseResult({}, {}), read), name) as Record<string, unknown>;
}

function hiddenMembers(module: AnyModule, flags: Record<string, unknown>, name: string): Record<string, unknown> {
  const names = Object.keys({ ...baseResult({}, {}), ...module.returns.properties, attempts: 0, item: 0 });
  const lost = Object.fromEntries(names.map((member) => [member, new LostSecret(`${name}.${member}`)]));
  const items = flags.results;
  if (!Array.isArray(items)) return { ...lost, ...flags };
  const results = items.map((item, index) => hiddenMembers(module, item, `${name}.results[${index}]`));
  return { ...lost, ...flags, results };
}
