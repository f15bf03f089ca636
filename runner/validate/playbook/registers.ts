import type { Play, Task } from '../../playbook/model.ts';
import type { Registry } from '../../playbook/registry.ts';
import type { JsonSchema } from '../../schema-types.ts';
import { ANYTHING, type Shapes } from './names.ts';
import { tasksOf } from './walk.ts';

const FLAG: JsonSchema = { type: 'boolean' };

/** What every register has beside the facts of its module. */
const COMMON: Record<string, JsonSchema> = {
  changed: FLAG,
  failed: FLAG,
  skipped: FLAG,
  unknown: FLAG,
  message: { type: 'string' },
  attempts: { type: 'integer' },
};

/** The names that the tasks of a play make: registers, with the facts of their modules, and variables that are set. */
export function namesMadeBy(play: Play, registry: Registry): Shapes {
  const shapes: Record<string, JsonSchema> = {};
  const sources = new Map<string, string>();
  for (const task of tasksOf(play)) {
    for (const name of variablesSet(task, registry)) shapes[name] = ANYTHING;
    if (task.register === undefined) continue;
    const source = `${task.module} ${task.loop !== undefined}`;
    const known = sources.get(task.register);
    // Two tasks that fill one register with different things: nothing can be said about its members.
    shapes[task.register] = known === undefined || known === source ? registerShape(task, registry) : ANYTHING;
    sources.set(task.register, source);
  }
  return shapes;
}

/** The result of a task, or of one item of its loop. */
export function resultShape(task: Task, registry: Registry): JsonSchema {
  const returns = registry.get(task.module)?.returns;
  return {
    type: 'object',
    properties: { ...returns?.properties, ...COMMON },
    additionalProperties: returns?.additionalProperties ?? false,
  };
}

/** The register of a loop holds the results of its items; only those have the facts of the module. */
function registerShape(task: Task, registry: Registry): JsonSchema {
  const result = resultShape(task, registry);
  if (task.loop === undefined) return result;
  return {
    type: 'object',
    additionalProperties: false,
    properties: { ...COMMON, results: { type: 'array', items: result } },
  };
}

function variablesSet(task: Task, registry: Registry): string[] {
  const module = registry.get(task.module);
  if (!module?.setsVariables) return [];
  const written = task.argsAt.value;
  const names = written !== null && typeof written === 'object' ? Object.keys(written) : [];
  return [...names, ...Object.keys(module.returns.properties)];
}
