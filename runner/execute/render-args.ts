import { type Diagnostic, InvalidError, type ReeveError } from '../errors.ts';
import { compileExpression, evaluateCondition } from '../language/expression.ts';
import { type LayeredScope, LazyMapping } from '../language/scope.ts';
import type { Expression } from '../language/types.ts';
import { findUnknown, isUnknown, type Unknown } from '../language/unknown.ts';
import type { Path } from '../load/document.ts';
import { type Evaluated, TaskFailure } from '../module.ts';
import type { AttemptParts } from './attempt.ts';
import { withFacts } from './gather.ts';

/**
 * The arguments as the module gets them: rendered, evaluated where they are expressions, checked; secret ones are known
 * to the masker. Unknown when one of them is.
 * @throws TaskFailure or InvalidError when they do not fit the module's schema.
 */
export async function renderArgs(parts: AttemptParts): Promise<Record<string, unknown> | Unknown> {
  const { run, task, module, scope } = parts;
  const rendered = await withFacts(run, () => task.args.render(scope));
  const unknown = findUnknown(rendered);
  if (unknown) return unknown;
  const given = module.expressions ? await evaluateExpressions(parts, rendered as Record<string, unknown>) : rendered;
  const { args, diagnostics } = run.checkArgs(module, given, task.argsAt);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw argumentError(errors);
  for (const [name, schema] of Object.entries(module.args.properties as Record<string, { writeOnly?: boolean }>)) {
    if (schema.writeOnly) run.masker.add(args[name]);
  }
  return args;
}

function argumentError(errors: Diagnostic[]): ReeveError {
  const first = errors[0]!;
  if (errors.length > 1) return new InvalidError(errors);
  return new TaskFailure(first.message, {
    code: first.code,
    ...(first.place ? { place: first.place } : {}),
    ...(first.hint ? { hint: first.hint } : {}),
  });
}

/** Arguments that are CEL (`assert: { that: … }`): each becomes a list of what its expressions came to. */
async function evaluateExpressions(
  parts: AttemptParts,
  args: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const result = { ...args };
  for (const name of parts.module.expressions ?? []) {
    const written = args[name];
    if (written === undefined) continue;
    const { path } = parts.task.argsAt;
    result[name] = Array.isArray(written)
      ? await Promise.all(written.map((one, index) => evaluateOne(parts, one, [...path, name, index])))
      : [await evaluateOne(parts, written, [...path, name])];
  }
  return result;
}

async function evaluateOne({ run, task, scope }: AttemptParts, written: unknown, path: Path): Promise<Evaluated> {
  if (typeof written === 'boolean') return { expression: String(written), value: written };
  const expression = compileExpression(String(written), task.argsAt.document.textPlace(path));
  const value = await withFacts(run, () => evaluateCondition(expression, scope));
  if (isUnknown(value)) return { expression: expression.text, value: 'unknown' };
  return { expression: expression.text, value, ...(value ? {} : { names: namesIn(expression, scope) }) };
}

/** What the names of an expression stood for, as far as they are short and known: it explains why one is false. */
function namesIn(expression: Expression, scope: LayeredScope): Record<string, unknown> {
  const names: Record<string, unknown> = {};
  for (const { path } of expression.references) {
    let value: unknown = scope.get(path[0]!);
    for (const member of path.slice(1)) {
      value =
        value instanceof LazyMapping ? value.get(member) : (value as Record<string, unknown> | undefined)?.[member];
    }
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) names[path.join('.')] = value;
  }
  return names;
}
