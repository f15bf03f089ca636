import type { Place } from '../errors.ts';
import { compileDeep } from '../language/deep.ts';
import { Definition } from '../language/definition.ts';
import { compileExpression } from '../language/expression.ts';
import type { Compiled, Expression } from '../language/types.ts';
import { type Path, Raw } from '../load/document.ts';
import { inside, type ParseContext, placeOf, type Spot } from './context.ts';
import { NAME_PATTERN } from './keywords.ts';
import type { Definitions } from './model.ts';
import { whyReserved } from './reserved.ts';

/**
 * Compiles a value with all its templates; mistakes go to the context. `isRaw` says which strings are none, by path.
 */
export function compileValue(
  context: ParseContext,
  value: unknown,
  spot: Spot,
  isRaw?: (path: Path) => boolean,
): Compiled {
  const locate = (path: Path) => spot.document.textPlace([...spot.path, ...path]);
  return compileDeep(value, locate, isRaw, (error) => context.caught(error));
}

/** A value without templates. */
export function constant(value: unknown): Compiled {
  return { isStatic: true, references: [], render: () => value };
}

/** Several texts as one, for keywords that take a list where one text is the rule. */
export function joined(parts: Compiled[], separator: string): Compiled {
  return {
    isStatic: parts.every((part) => part.isStatic),
    references: parts.flatMap((part) => part.references),
    render: (scope) => parts.map((part) => part.render(scope)).join(separator),
  };
}

/** Compiles CEL text; undefined, with a diagnostic, when it is wrong. */
export function compileCondition(context: ParseContext, value: unknown, spot: Spot): Expression | undefined {
  const text = value instanceof Raw ? value.text : String(value);
  if (/\{\{|\{%/.test(text)) {
    const bare = text
      .replaceAll(/\{\{|\}\}/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    context.error('template-in-expression', 'this is an expression already; it takes no `{{ }}`', placeOf(spot), {
      hint: `write it as CEL: ${bare}`,
    });
    return undefined;
  }
  try {
    return compileExpression(text, spot.document.textPlace(spot.path));
  } catch (error) {
    context.caught(error);
    return undefined;
  }
}

/** One condition or a list of them; those with mistakes are left out. */
export function compileConditions(context: ParseContext, value: unknown, spot: Spot): Expression[] {
  const items = Array.isArray(value)
    ? value.map((item, index) => [item, inside(spot, index)] as const)
    : [[value, spot] as const];
  return items.flatMap(([item, at]) => compileCondition(context, item, at) ?? []);
}

/** Variable definitions of one level. */
export function compileVars(context: ParseContext, value: unknown, spot: Spot, origin: string): Definitions {
  const definitions: Definitions = {};
  for (const [name, item] of Object.entries((value ?? {}) as Record<string, unknown>)) {
    const at = inside(spot, name);
    const where = placeOf(at, 'key');
    if (!new RegExp(NAME_PATTERN).test(name)) {
      context.error('bad-name', `\`${name}\` cannot be the name of a variable`, where, {
        hint: 'a name has letters, digits and _ and does not begin with a digit',
      });
      continue;
    }
    checkReserved(context, name, where);
    compileValue(context, item, at);
    const locate = (path: readonly (string | number)[]) => at.document.textPlace([...at.path, ...path]);
    definitions[name] = new Definition({ value: item, locate, where, origin });
  }
  return definitions;
}

/** Reports a name that would hide behind one that is always there. */
export function checkReserved(context: ParseContext, name: string | undefined, place: Place): void {
  const why = name === undefined ? undefined : whyReserved(name);
  if (why) context.error('reserved-name', why, place);
}
