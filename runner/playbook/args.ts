import type { Compiled, Scope } from '../language/types.ts';
import type { Path } from '../load/document.ts';
import { compileConditions, compileValue } from './compile.ts';
import { inside, type ParseContext, type Spot } from './context.ts';
import { isMapping } from './entries.ts';

/**
 * The arguments of a task with their templates compiled. Plain text fills the argument that the module names as its
 * shorthand; arguments that hold CEL keep their text (the engine evaluates them) and lend their references.
 */
export function compileArgs(context: ParseContext, module: string, value: unknown, spot: Spot): Compiled {
  const { shorthand, expressions = [] } = context.registry.get(module) ?? {};
  if (value === null) return compileValue(context, {}, spot);
  const isShort = shorthand !== undefined && !isMapping(value);
  const isExpression = (name: string | number | undefined) => expressions.includes(String(name));
  const isRaw = (path: Path) => isExpression(isShort ? shorthand : path[0]);
  const inner = compileValue(context, value, spot, isRaw);
  const conditions = Object.entries(isShort ? { [shorthand]: value } : isMapping(value) ? value : {})
    .filter(([name, written]) => isExpression(name) && isCondition(written))
    .flatMap(([name, written]) => compileConditions(context, written, isShort ? spot : inside(spot, name)));
  return {
    isStatic: inner.isStatic,
    references: [...inner.references, ...conditions.flatMap((condition) => condition.references)],
    render: isShort ? (scope: Scope) => ({ [shorthand]: inner.render(scope) }) : (scope: Scope) => inner.render(scope),
  };
}

/** What belongs into an expression argument; the schema says what is wrong with anything else. */
function isCondition(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' || typeof item === 'boolean');
  return typeof value === 'string' || typeof value === 'boolean';
}
