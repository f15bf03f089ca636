import { isDeepStrictEqual } from 'node:util';
import type { AnyModule } from '../module.ts';

/** Longer texts are cut: what became of a file's content is told by its diff. */
const MOST = 500;

/** The arguments of a task as reports show them: without defaults and what is marked as secret, long texts cut. */
export function shownArgs(module: AnyModule, args: Record<string, unknown>): Record<string, unknown> {
  const schemas = module.args.properties as Record<string, { default?: unknown; writeOnly?: boolean }>;
  const told = Object.entries(args).filter(([name, value]) => {
    const schema = schemas[name];
    return value !== undefined && schema?.writeOnly !== true && !isDeepStrictEqual(value, schema?.default);
  });
  const expressions = new Set(module.expressions ?? []);
  return Object.fromEntries(told.map(([name, value]) => [name, expressions.has(name) ? written(value) : cut(value)]));
}

/** Expressions as they were written, without what they came to. */
function written(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => (one as { expression?: string }).expression ?? one) : value;
}

function cut(value: unknown): unknown {
  if (typeof value === 'string') return value.length > MOST ? `${value.slice(0, MOST)}…` : value;
  if (Array.isArray(value)) return value.slice(0, MOST).map(cut);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cut(item)]));
}
