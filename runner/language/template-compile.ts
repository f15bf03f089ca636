import { aKindOf, readMember, toPlain } from './access.ts';
import { Fault } from './fault.ts';
import { HelperError, isTruthy } from './helper-values.ts';
import { HELPERS, type Helper } from './helpers.ts';
import { didYouMean } from './nearest.ts';
import type { OffsetReference } from './reference.ts';
import { compileBlock } from './template-blocks.ts';
import type { ParsedTemplate } from './template-parse.ts';
import { compilePath, describeMissing } from './template-paths.ts';
import type { Evaluate, RenderContext, StaticFrame } from './template-scope.ts';
import { findUnknown, isUnknown, type Unknown } from './unknown.ts';

const HELPERS_BY_NAME = new Map(HELPERS.map((helper) => [helper.name, helper]));

/** State of one compilation. Nodes become closures once; rendering walks no tree and makes no code. */
export interface Compilation {
  parsed: ParsedTemplate;
  references: OffsetReference[];
}

/** The text of a program: all of its statements one after another. Unknown as soon as one of them is. */
export function compileProgram(
  compilation: Compilation,
  program: hbs.AST.Program | undefined,
  frames: StaticFrame | undefined,
): Evaluate {
  const parts = (program?.body ?? []).map((statement) => compileStatement(compilation, statement, frames));
  return (context) => {
    let text = '';
    for (const part of parts) {
      const piece = typeof part === 'string' ? part : part(context);
      if (isUnknown(piece)) return piece;
      text += piece;
    }
    return text;
  };
}

/** A constant text, or a function that gives text or an Unknown. */
function compileStatement(
  compilation: Compilation,
  statement: hbs.AST.Statement,
  frames: StaticFrame | undefined,
): string | Evaluate {
  const offset = compilation.parsed.offsetOf(statement);
  switch (statement.type) {
    case 'ContentStatement':
      return (statement as hbs.AST.ContentStatement).value;
    case 'CommentStatement':
      return '';
    case 'MustacheStatement': {
      const evaluate = compileMustache(compilation, statement as hbs.AST.MustacheStatement, frames);
      return (context) => intoText(evaluate(context), offset);
    }
    case 'BlockStatement':
      return compileBlock(compilation, statement as hbs.AST.BlockStatement, frames);
    default: {
      const what = statement.type.startsWith('Partial') ? 'partials `{{> …}}`' : 'decorators `{{* …}}`';
      throw new Fault('template-syntax', offset, `${what} are not part of the language`);
    }
  }
}

/** `{{ … }}` as a value that keeps its type. */
export function compileMustache(
  compilation: Compilation,
  mustache: hbs.AST.MustacheStatement,
  frames: StaticFrame | undefined,
): Evaluate {
  const hasValues = mustache.params.length > 0 || (mustache.hash?.pairs.length ?? 0) > 0;
  if (!hasValues) return compileValue(compilation, mustache.path, frames);
  return compileCall(compilation, mustache, frames);
}

/** A path, a constant or a subexpression. `optional` makes an undefined path `undefined` instead of an error. */
export function compileValue(
  compilation: Compilation,
  node: hbs.AST.Expression,
  frames: StaticFrame | undefined,
  optional = false,
): Evaluate {
  const offset = compilation.parsed.offsetOf(node);
  switch (node.type) {
    case 'PathExpression':
      return compilePath(node as hbs.AST.PathExpression, {
        offset,
        optional,
        frames,
        references: compilation.references,
      });
    case 'SubExpression':
      return compileCall(compilation, node as hbs.AST.SubExpression, frames);
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral': {
      const { value } = node as hbs.AST.StringLiteral;
      return () => value;
    }
    case 'NullLiteral':
      return () => null;
    default:
      throw new Fault('template-syntax', offset, 'there is no `undefined`; ask with `(defined name)`');
  }
}

interface Call extends hbs.AST.Node {
  path: hbs.AST.Expression;
  params: hbs.AST.Expression[];
  hash: hbs.AST.Hash;
}

function compileCall(compilation: Compilation, call: Call, frames: StaticFrame | undefined): Evaluate {
  const offset = compilation.parsed.offsetOf(call.path);
  const helper = findHelper(call, offset);
  checkArguments(helper, call, compilation, offset);
  const optional = helper.name === 'default' || helper.name === 'defined';
  const values = call.params.map((node, index) => compileValue(compilation, node, frames, optional && index === 0));
  const special = compileSpecial(helper.name, values, offset);
  if (special) return special;
  const options = (call.hash?.pairs ?? []).map(
    (pair) => [pair.key, compileValue(compilation, pair.value, frames)] as const,
  );
  return (context) => runHelper(helper, values, options, context, offset);
}

function findHelper(call: Call, offset: number): Helper {
  const path = call.path as hbs.AST.PathExpression;
  const name = String(path.original);
  const helper = path.type === 'PathExpression' && path.parts.length === 1 ? HELPERS_BY_NAME.get(name) : undefined;
  if (helper) return helper;
  const isBlock = ['if', 'unless', 'each', 'with'].includes(name);
  const hint = isBlock
    ? `a block opens with \`{{#${name} …}}\``
    : (didYouMean(name, HELPERS_BY_NAME.keys()) ?? `helpers are ${[...HELPERS_BY_NAME.keys()].join(', ')}`);
  throw new Fault('unknown-helper', offset, `there is no helper \`${name}\``, hint);
}

function checkArguments(helper: Helper, call: Call, compilation: Compilation, offset: number): void {
  const [least, most] = helper.values;
  const given = call.params.length;
  if (given < least || given > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    const message = `\`${helper.name}\` takes ${wanted} ${most === 1 ? 'value' : 'values'}, not ${given}`;
    throw new Fault('template-syntax', offset, message, `write \`${helper.usage}\``);
  }
  for (const pair of call.hash?.pairs ?? []) {
    if (helper.options?.includes(pair.key)) continue;
    const message = `\`${helper.name}\` has no option \`${pair.key}\``;
    throw new Fault('template-syntax', compilation.parsed.offsetOf(pair), message, `write \`${helper.usage}\``);
  }
}

function compileSpecial(name: string, values: Evaluate[], offset: number): Evaluate | undefined {
  const [first, ...others] = values as [Evaluate, ...Evaluate[]];
  switch (name) {
    case 'default':
      return (context) => first(context) ?? others[0]!(context);
    case 'defined':
      return (context) => {
        const value = first(context);
        return isUnknown(value) ? value : value !== undefined;
      };
    case 'lookup':
      return (context) => others.reduce((value, key) => lookup(value, key(context), offset), first(context));
    case 'and':
      return (context) => combine(values, context, false);
    case 'or':
      return (context) => combine(values, context, true);
    default:
      return undefined;
  }
}

/** `or` (deciding true) and `and` (deciding false): one deciding value settles it, whatever is unknown beside it. */
function combine(values: Evaluate[], context: RenderContext, deciding: boolean): unknown {
  let unknown: Unknown | undefined;
  for (const evaluate of values) {
    const value = evaluate(context);
    if (isUnknown(value)) unknown ??= value;
    else if (isTruthy(value) === deciding) return deciding;
  }
  return unknown ?? !deciding;
}

function lookup(value: unknown, key: unknown, offset: number): unknown {
  if (isUnknown(value)) return value;
  if (isUnknown(key)) return key;
  const name = typeof key === 'number' ? key : String(key);
  const member = typeof key === 'string' || typeof key === 'number' ? readMember(value, name) : undefined;
  if (member !== undefined) return member;
  const { message, hint } = describeMissing(value, String(name), 'lookup');
  throw new Fault('undefined-variable', offset, message, hint);
}

function runHelper(
  helper: Helper,
  values: Evaluate[],
  options: (readonly [string, Evaluate])[],
  context: RenderContext,
  offset: number,
): unknown {
  const prepare = (value: unknown) => (helper.shallow ? value : toPlain(value));
  const given = values.map((evaluate) => prepare(evaluate(context)));
  const named = Object.fromEntries(options.map(([key, evaluate]) => [key, evaluate(context)]));
  for (const value of [...given, ...Object.values(named)]) {
    const unknown = helper.shallow ? (isUnknown(value) ? value : undefined) : findUnknown(value);
    if (unknown) return unknown;
  }
  try {
    return helper.run?.(given, named);
  } catch (error) {
    if (!(error instanceof HelperError)) throw error;
    throw new Fault('template-value', offset, error.message, `write \`${helper.usage}\``);
  }
}

function intoText(value: unknown, offset: number): unknown {
  if (typeof value === 'string' || isUnknown(value)) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const message = value === null ? 'null cannot stand inside text' : `${aKindOf(value)} cannot stand inside text`;
  const hint =
    value === null
      ? 'write `{{default name "…"}}`, or `{{json name}}` for the word null'
      : 'write `{{json name}}`, or `{{join name ","}}` for a list';
  throw new Fault('template-value', offset, message, hint);
}
