import { modules } from '../../modules/index.ts';
import type { Inventory } from '../inventory/model.ts';
import type { Filled } from '../playbook/fill-inputs.ts';
import type { Play, Playbook, Step, Task } from '../playbook/model.ts';

/** `{{ inputs.token }}` and no more, or what a header of that kind has before it. */
const REFERENCE = /^(?:(?:Bearer|Basic|Token) +)?\{\{\s*(?:(?:inputs|vars)\.)?([A-Za-z_]\w*)\s*\}\}$/i;
/** A variable that stands for a variable that stands for …: further than this nobody looks. */
const DEPTH = 5;

/**
 * Values that tasks hand to arguments which are secret by their nature (`token` of `http`), as far as they are known before
 * the run: they are to be masked from the first thing that is written, not from the task on.
 */
export function writeOnlyValues(
  playbook: Playbook,
  inventory: Inventory,
  filled: Pick<Filled, 'inputs' | 'extraVars'>,
): unknown[] {
  const written = playbook.plays.flatMap(stepsOf).flatMap((step) => (step.kind === 'task' ? writeOnlyOf(step) : []));
  const sources = written.length === 0 ? [] : sourcesOf(playbook, inventory, filled);
  const known = (value: unknown, depth: number): unknown[] => {
    if (value !== null && typeof value === 'object') return Object.values(value).flatMap((one) => known(one, depth));
    if (typeof value !== 'string' || !value.includes('{{')) return [value];
    const name = REFERENCE.exec(value.trim())?.[1];
    if (name === undefined || depth === 0) return [];
    return sources.flatMap((source) => (Object.hasOwn(source, name) ? known(source[name], depth - 1) : []));
  };
  return written.flatMap((value) => known(value, DEPTH));
}

function writeOnlyOf({ module, argsAt }: Task): unknown[] {
  const properties = (modules.get(module)?.args.properties ?? {}) as Record<string, { writeOnly?: boolean }>;
  const args = argsAt.value;
  if (args === null || typeof args !== 'object') return [];
  return Object.entries(args).flatMap(([name, value]) => (properties[name]?.writeOnly ? [value] : []));
}

function sourcesOf(
  playbook: Playbook,
  inventory: Inventory,
  filled: Pick<Filled, 'inputs' | 'extraVars'>,
): Record<string, unknown>[] {
  const root = (playbook.document.value ?? {}) as { vars?: unknown; plays?: unknown };
  const plays = Array.isArray(root.plays) ? root.plays : [];
  const written = [root, ...plays].map((one) => (one as { vars?: unknown } | null)?.vars);
  const layers = [...inventory.hosts.keys()].flatMap((host) => inventory.layersOf(host));
  return [
    ...[filled.inputs, filled.extraVars],
    ...written
      .filter((vars) => vars !== null && typeof vars === 'object')
      .map((vars) => vars as Record<string, unknown>),
    ...[...new Set(layers.map(({ definitions }) => definitions))].map((definitions) =>
      Object.fromEntries(Object.entries(definitions).map(([name, { value }]) => [name, value])),
    ),
  ];
}

function stepsOf(play: Play): Step[] {
  const all = (steps: readonly Step[]): Step[] =>
    steps.flatMap((step) => (step.kind === 'task' ? step : all([...step.steps, ...step.rescue, ...step.always])));
  const { preTasks, tasks, postTasks, handlers, gate, rollback } = play;
  return all([...preTasks, ...tasks, ...postTasks, ...handlers, ...gate, ...rollback]);
}
