import type { Diagnostic } from '../errors.ts';
import type { Located } from '../load/document.ts';
import { Raw, Sealed } from '../load/document.ts';
import type { AnyModule, JsonSchema } from '../module.ts';
import type { Task } from '../playbook/model.ts';
import { checkValue } from './schema/check.ts';
import { describeValue } from './schema/describe.ts';

/**
 * The strict check of rendered arguments, right before a module plans: fills in defaults, coerces nothing. Arguments
 * that hold expressions come evaluated (`{ expression, value }`) and are checked by their text.
 */
export function checkArgs(
  module: AnyModule,
  args: unknown,
  at: Located,
): { args: Record<string, unknown>; diagnostics: Diagnostic[] } {
  const evaluated = pickExpressions(module, args);
  const texts = Object.fromEntries(Object.entries(evaluated).map(([name, list]) => [name, textsOf(list)]));
  const rendered = isMapping(args) ? { ...args, ...texts } : args;
  const short = module.shorthand !== undefined && typeof at.value === 'string';
  const given = numbersAsText(module.args, rendered, short ? { [module.shorthand!]: at.value } : at.value);
  const { value, diagnostics } = checkValue(module.args, given, at, { name: `\`${module.name}\``, member: 'argument' });
  const checked = { ...(isMapping(value) ? value : {}), ...evaluated };
  return { args: checked, diagnostics: diagnostics.length > 0 ? diagnostics : ownCheck(module, checked, at) };
}

/**
 * A template that stands alone keeps the type of its value; where text belongs, a number or boolean that came out of a
 * template is its text. What a person wrote as a number stays one, so that `mode: 0644` is still refused.
 */
function numbersAsText(schema: JsonSchema, rendered: unknown, written: unknown): unknown {
  if (schema.type === 'string' && isRendered(written) && ['number', 'boolean'].includes(typeof rendered)) {
    return String(rendered);
  }
  if (Array.isArray(rendered) && Array.isArray(written) && schema.items) {
    return rendered.map((item, index) => numbersAsText(schema.items!, item, written[index]));
  }
  if (!isMapping(rendered) || !isMapping(written)) return rendered;
  const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  const members = Object.entries(rendered).map(([name, item]) => {
    const inner = schema.properties?.[name] ?? rest;
    return [name, inner ? numbersAsText(inner, item, written[name]) : item];
  });
  return Object.fromEntries(members);
}

/** What a person wrote as text or as a secret may come out as something else. */
function isRendered(written: unknown): boolean {
  return typeof written === 'string' || written instanceof Sealed;
}

/** The check before anything is rendered: text with a template is accepted for a value of any type. */
export function checkWrittenArgs(module: AnyModule, task: Task): Diagnostic[] {
  const { argsAt } = task;
  const written = argsAt.value instanceof Raw ? argsAt.value.text : argsAt.value;
  const isShort = module.shorthand !== undefined && written !== null && !isMapping(written);
  if (!isShort && written !== null && !isMapping(written)) return [notMapping(module, written, argsAt)];
  const args = isShort ? { [module.shorthand!]: argsAt.value } : (written ?? {});
  const { value, diagnostics } = checkValue(module.args, args, argsAt, {
    name: `\`${module.name}\``,
    member: 'argument',
    templates: true,
  });
  if (diagnostics.length > 0 || !task.args.isStatic) return diagnostics;
  return ownCheck(module, value as Record<string, unknown>, argsAt);
}

/** What the module itself says about arguments that its schema allows. */
function ownCheck(module: AnyModule, args: Record<string, unknown>, at: Located): Diagnostic[] {
  const message = module.check?.(args);
  if (message === undefined) return [];
  return [{ code: 'wrong-arguments', severity: 'error', message, place: at.document.place(at.path, 'key') }];
}

function notMapping(module: AnyModule, written: unknown, at: Located): Diagnostic {
  const pairs = typeof written === 'string' ? [...written.matchAll(/(\w+)=("[^"]*"|'[^']*'|\S+)/g)] : [];
  const names = Object.keys(module.args.properties as object);
  return {
    code: 'wrong-type',
    severity: 'error',
    message: `the arguments of \`${module.name}\` must be a mapping, not ${describeValue(written)}`,
    place: at.document.place(at.path),
    hint:
      pairs.length > 0
        ? `write: ${module.name}: { ${pairs.map(([, name, value]) => `${name}: ${value}`).join(', ')} }`
        : `its arguments: ${names.join(', ')}`,
  };
}

function pickExpressions(module: AnyModule, args: unknown): Record<string, unknown> {
  if (!isMapping(args)) return {};
  const names = (module.expressions ?? []).filter((name) => args[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, args[name]]));
}

function textsOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item) => (isMapping(item) && 'expression' in item ? item.expression : item));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Raw);
}
