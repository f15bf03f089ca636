/** An example of a module's docs as the engine would hand it to plan. */
import { parse } from 'yaml';
import { renderDeep } from '../../../../runner/language/deep.ts';
import { compileExpression, evaluateCondition } from '../../../../runner/language/expression.ts';
import { layeredScope } from '../../../../runner/language/scope.ts';
import { textStartingAt } from '../../../../runner/language/text-place.ts';
import { isUnknown } from '../../../../runner/language/unknown.ts';
import type { AnyModule, Evaluated } from '../../../../runner/module.ts';

export interface Example {
  title: string;
  /** `MODULE: TITLE`, what the table of needs is keyed by. */
  key: string;
  yaml: string;
}

export function examplesOf(module: AnyModule): Example[] {
  return module.examples.map(({ title, yaml }) => ({ title, yaml, key: `${module.name}: ${title}` }));
}

/** What examples may name in templates and expressions. */
const scope = layeredScope([
  {
    host: { name: 'agent-1', address: '127.0.0.1', groups: ['agents'], facts: { memory_mb: 2048 } },
    groups: { servers: ['server-1'], agents: ['agent-2'] },
    run: { id: 'test-run', check: false, started: '2026-01-01T00:00:00.000Z' },
    install: { downtime_seconds: 1 },
    k3s_token: 'K10aa::server:bb',
  },
]);

const here = (text: string) => textStartingAt({ file: 'example.yaml', line: 1, column: 1 }, text);

/** The arguments as they are written, the shorthand spelt out. */
export function writtenArgs(module: AnyModule, yaml: string): Record<string, unknown> {
  const task = parse(yaml) as Record<string, unknown>;
  if (Object.keys(task).join() !== module.name) throw new Error(`not one ${module.name}: ${yaml}`);
  const given = task[module.name] ?? {};
  if (typeof given === 'object' && !Array.isArray(given)) return given as Record<string, unknown>;
  return { [module.shorthand ?? absent(module)]: given };
}

function absent(module: AnyModule): never {
  throw new Error(`${module.name} has no shorthand`);
}

/** The arguments with templates rendered. */
export function renderedArgs(module: AnyModule, yaml: string): Record<string, unknown> {
  return renderDeep(writtenArgs(module, yaml), scope, () => here(yaml)) as Record<string, unknown>;
}

/** Arguments that are CEL become what their expressions came to. */
export function evaluated(module: AnyModule, args: Record<string, unknown>): Record<string, unknown> {
  const lists = (module.expressions ?? []).map((name) => [name, [args[name] ?? []].flat().map(evaluate)]);
  return { ...args, ...Object.fromEntries(lists) };
}

function evaluate(written: unknown): Evaluated {
  const text = String(written);
  const value = evaluateCondition(compileExpression(text, here(text)), scope);
  return { expression: text, value: isUnknown(value) ? 'unknown' : value };
}

/** Keys whose absolute paths are the machine's own: programs to run. */
const OWN_PATHS = new Set(['executable']);

/** Every absolute path in the arguments, moved below the folder that stands for the target's `/`. */
export function below<T>(value: T, root: string): T {
  if (typeof value === 'string') {
    return (/^\/(?!\/)/.test(value) && !value.startsWith(root) ? root + value : value) as T;
  }
  if (Array.isArray(value)) return value.map((item) => below(item, root)) as T;
  if (value === null || typeof value !== 'object') return value;
  const moved = Object.entries(value).map(([key, item]) => [key, OWN_PATHS.has(key) ? item : below(item, root)]);
  return Object.fromEntries(moved) as T;
}
