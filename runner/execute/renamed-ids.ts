/** Ids of steps that stand elsewhere in the playbook since a resume accepted that it had changed. */
import type { Renamed } from '../events.ts';
import { partsOf } from './block-key.ts';
import { taskKey } from './effect-key.ts';

/** The id of a step with what says which round, batch or try of it; undefined when the step is gone. */
export function renamedId(id: string, renamed: Renamed): string | undefined {
  const [base, rounds] = partsOf(id);
  const to = Object.hasOwn(renamed, base) ? renamed[base] : base;
  return typeof to === 'string' ? to + rounds : undefined;
}

/** Gives records of tasks on hosts (by `taskKey`) the ids of now. What is gone is forgotten. */
export function renameKeys<T>(map: Map<string, T>, renamed: Renamed): void {
  const entries = [...map].flatMap(([key, value]) => {
    const [host = '', id = ''] = key.split('\n');
    const to = renamedId(id, renamed);
    return to === undefined ? [] : [[taskKey(host, to), value] as const];
  });
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}
