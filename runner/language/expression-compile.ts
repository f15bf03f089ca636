import { type ASTNode, Optional } from '@marcbachmann/cel-js';
import { aKindOf, readMember, toPlain } from './access.ts';
import { CEL_CONSTANTS, CEL_FUNCTIONS, CEL_METHODS, celEnvironment } from './cel-environment.ts';
import { delegated, ValueFault } from './expression-delegate.ts';
import { compileBind, compileComprehension } from './expression-macros.ts';
import { binaryOperator, sizeOf } from './expression-operators.ts';
import { COMPREHENSIONS } from './expression-references.ts';
import { Fault } from './fault.ts';
import type { Scope } from './lazy.ts';
import { didYouMean } from './nearest.ts';
import { describeMissing, undefinedName } from './template-paths.ts';
import { findUnknown, isUnknown } from './unknown.ts';

/** A name that a macro bound, and those bound around it. */
export interface Locals {
  name: string;
  value: unknown;
  outer: Locals | undefined;
}

export interface EvaluationContext {
  scope: Scope;
  locals: Locals | undefined;
}

export type EvaluateNode = (context: EvaluationContext) => unknown;

/**
 * What an undefined path gives: an error (`no`), `undefined` when a member is missing (`members`), or also when the
 * root name is (`names`).
 */
type Lenience = 'no' | 'members' | 'names';

/**
 * Names, access, logic and macros are evaluated here, so that unknown values, lazy mappings and places work; operators
 * and functions are the library's.
 * @throws Fault for a function that does not exist or a macro that is used wrongly.
 */
export function compileNode(node: ASTNode, lenience: Lenience = 'no'): EvaluateNode {
  switch (node.op) {
    case 'value': {
      const value = node.args;
      return () => value;
    }
    case 'id':
      return compileName(node.args, node.start, lenience);
    case '.':
    case '[]':
    case '.?':
    case '[?]':
      return compileAccess(node, lenience);
    case '&&':
      return compileLogic(node.args[0], node.args[1], false);
    case '||':
      return compileLogic(node.args[0], node.args[1], true);
    case '?:':
      return compileChoice(node.args[0], node.args[1], node.args[2]);
    case 'list': {
      const items = node.args.map((item) => compileNode(item));
      return (context) => items.map((item) => item(context));
    }
    case 'map':
      return compileMapping(node.args);
    case 'call':
      return compileCall(node.args[0], node.args[1], node.start);
    case 'rcall':
      return compileMethod(node.args[0], node.args[1], node.args[2], node);
    case '!_':
    case '-_':
      return compileDelegated(delegated(node.op === '!_' ? '!_0' : '-_0'), [node.args], node.start);
    default: {
      const operator = binaryOperator(node.op);
      const [left, right] = [compileNode(node.args[0]), compileNode(node.args[1])];
      const offset = node.start;
      return (context) => operator(left(context), right(context), offset);
    }
  }
}

function compileName(name: string, offset: number, lenience: Lenience): EvaluateNode {
  const constant = CEL_CONSTANTS.has(name) ? celEnvironment.evaluate(name, {}) : undefined;
  return ({ scope, locals }) => {
    for (let local = locals; local; local = local.outer) if (local.name === name) return local.value;
    if (constant !== undefined) return constant;
    const value = scope.get(name);
    if (value !== undefined || lenience === 'names') return value;
    throw undefinedName(name, scope, offset);
  };
}

type AccessNode = Extract<ASTNode, { op: '.' | '[]' | '.?' | '[?]' }>;

function isAccess(node: ASTNode): node is AccessNode {
  return node.op === '.' || node.op === '[]' || node.op === '.?' || node.op === '[?]';
}

function compileKey(node: AccessNode): EvaluateNode {
  const key = node.args[1];
  return typeof key === 'string' ? () => key : compileNode(key);
}

function compileAccess(node: AccessNode, lenience: Lenience): EvaluateNode {
  const left = node.args[0];
  const readLeft = compileNode(left, isAccess(left) || left.op === 'id' ? lenience : 'no');
  const readKey = compileKey(node);
  const isOptional = node.op === '.?' || node.op === '[?]';
  const { start, end, pos } = node;
  const shown = node.input.slice(left.start, left.end);
  const keyOffset = node.op === '.' ? pos : Math.min(end, start);
  return (context) => {
    const found = readLeft(context);
    const parent = found instanceof Optional ? (found.hasValue() ? found.value() : undefined) : found;
    if (isUnknown(parent)) return parent;
    const key = readKey(context);
    if (isUnknown(key)) return key;
    const member = parent === undefined ? undefined : readMember(parent, memberKey(key, keyOffset));
    if (isUnknown(member)) return member;
    if (isOptional || found instanceof Optional) return Optional.of(member);
    if (member !== undefined || lenience !== 'no') return member;
    const { message, hint } = describeMissing(parent, String(key), shown);
    throw new ValueFault('undefined-variable', keyOffset, message, hint);
  };
}

function memberKey(key: unknown, offset: number): string | number {
  if (typeof key === 'bigint') return Number(key);
  if (typeof key === 'string' || typeof key === 'number') return key;
  throw new ValueFault('expression-value', offset, `${aKindOf(key)} is no name and no position`);
}

/** `has` and `defined`: true when the last member (or the root name) exists, also when its value is unknown. */
function compilePresence(node: ASTNode, lenience: Lenience): EvaluateNode {
  if (node.op === 'id') {
    const { args: name } = node;
    return ({ scope, locals }) => {
      for (let local = locals; local; local = local.outer) if (local.name === name) return true;
      return scope.has(name) || CEL_CONSTANTS.has(name);
    };
  }
  if (!isAccess(node)) throw new Fault('expression-syntax', node.start, 'this asks for a name such as `a.b`');
  const left = node.args[0];
  const readLeft = compileNode(left, isAccess(left) || left.op === 'id' ? lenience : 'no');
  const readKey = compileKey(node);
  return (context) => {
    const found = readLeft(context);
    const parent = found instanceof Optional ? found.orValue(undefined) : found;
    if (isUnknown(parent)) return parent;
    const key = readKey(context);
    if (isUnknown(key)) return key;
    return parent !== undefined && readMember(parent, memberKey(key, node.start)) !== undefined;
  };
}

/** One deciding value settles it; then an unknown beats an error, as in the CEL specification. */
function compileLogic(leftNode: ASTNode, rightNode: ASTNode, deciding: boolean): EvaluateNode {
  const left = compileNode(leftNode);
  const right = compileNode(rightNode);
  return (context) => {
    const one = attempt(left, context, leftNode.start, deciding);
    if (one === deciding) return deciding;
    const other = attempt(right, context, rightNode.start, deciding);
    if (other === deciding) return deciding;
    if (isUnknown(one)) return one;
    if (isUnknown(other)) return other;
    if (one instanceof ValueFault) throw one;
    if (other instanceof ValueFault) throw other;
    return !deciding;
  };
}

function attempt(evaluate: EvaluateNode, context: EvaluationContext, offset: number, isOr: boolean): unknown {
  try {
    const value = evaluate(context);
    if (typeof value === 'boolean' || isUnknown(value)) return value;
    return notBoolean(value, offset, isOr ? '`||`' : '`&&`');
  } catch (error) {
    if (error instanceof ValueFault) return error;
    throw error;
  }
}

/** The error for a value where only true and false make sense. */
export function notBoolean(value: unknown, offset: number, where: string): ValueFault {
  const message = `${where} needs true or false, not ${aKindOf(value)}`;
  return new ValueFault('expression-value', offset, message, 'compare it: `name == "…"`, `size(list) > 0`');
}

function compileChoice(condition: ASTNode, one: ASTNode, other: ASTNode): EvaluateNode {
  const decide = compileNode(condition);
  const [whenTrue, whenFalse] = [compileNode(one), compileNode(other)];
  return (context) => {
    const decided = decide(context);
    if (isUnknown(decided)) return decided;
    if (typeof decided !== 'boolean') throw notBoolean(decided, condition.start, '`? :`');
    return decided ? whenTrue(context) : whenFalse(context);
  };
}

function compileMapping(entries: readonly (readonly [ASTNode, ASTNode])[]): EvaluateNode {
  const compiled = entries.map(([key, value]) => [compileNode(key), compileNode(value)] as const);
  return (context) => {
    const pairs = compiled.map(([key, value]) => [key(context), value(context)] as const);
    const unknown = pairs.map(([key]) => key).find(isUnknown);
    return unknown ?? Object.fromEntries(pairs.map(([key, value]) => [String(key), value]));
  };
}

function compileCall(name: string, args: readonly ASTNode[], offset: number): EvaluateNode {
  const [first, second] = args;
  if (name === 'has' && args.length === 1) {
    if (!isAccess(first!)) {
      const hint = 'write `defined(name)` for a name of its own';
      throw new Fault('expression-syntax', first!.start, '`has` asks for a member: `has(a.b)`', hint);
    }
    return compilePresence(first, 'members');
  }
  if (name === 'defined' && args.length === 1) return compilePresence(first!, 'names');
  if (name === 'default' && args.length === 2) {
    const value = compileNode(first!, 'names');
    const fallback = compileNode(second!);
    return (context) => {
      const found = value(context);
      return (found instanceof Optional ? found.orValue(undefined) : found) ?? fallback(context);
    };
  }
  if (!CEL_FUNCTIONS.has(name)) {
    const hint = CEL_METHODS.has(name) ? `write \`value.${name}(…)\`` : didYouMean(name, CEL_FUNCTIONS);
    throw new Fault('unknown-function', offset, `there is no function \`${name}\``, hint);
  }
  const names = args.map((_, index) => `_${index}`).join(', ');
  const call = compileDelegated(delegated(`${name}(${names})`), args, offset);
  return name === 'size' && first ? compileSize(first, call) : call;
}

function compileMethod(name: string, receiver: ASTNode, args: readonly ASTNode[], node: ASTNode): EvaluateNode {
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel') return compileBind(args, node.start);
  if (COMPREHENSIONS.has(name)) return compileComprehension(name, receiver, args, node.start);
  if (!CEL_METHODS.has(name)) {
    const nearest = CEL_FUNCTIONS.has(name) ? `write \`${name}(…)\`` : didYouMean(name, CEL_METHODS);
    throw new Fault('unknown-function', node.start, `there is no function \`.${name}()\``, nearest);
  }
  if ((name === 'orValue' || name === 'or') && args.length === 1) return compileOr(name, receiver, args[0]!);
  const names = args.map((_, index) => `_${index + 1}`).join(', ');
  const call = compileDelegated(delegated(`_0.${name}(${names})`), [receiver, ...args], node.start);
  return name === 'size' ? compileSize(receiver, call) : call;
}

function compileOr(name: 'or' | 'orValue', receiver: ASTNode, fallbackNode: ASTNode): EvaluateNode {
  const read = compileNode(receiver);
  const fallback = compileNode(fallbackNode);
  return (context) => {
    const value = read(context);
    if (isUnknown(value)) return value;
    if (!(value instanceof Optional)) {
      const message = `\`.${name}()\` follows optional access such as \`a.?b\``;
      throw new ValueFault('expression-value', receiver.start, message);
    }
    if (value.hasValue()) return name === 'or' ? value : value.value();
    return fallback(context);
  };
}

/** The size of a list or mapping is known even when what it holds is not. */
function compileSize(subject: ASTNode, otherwise: EvaluateNode): EvaluateNode {
  const read = compileNode(subject);
  return (context) => sizeOf(read(context)) ?? otherwise(context);
}

function compileDelegated(
  run: (values: unknown[], offset: number) => unknown,
  args: readonly ASTNode[],
  offset: number,
): EvaluateNode {
  const compiled = args.map((arg) => compileNode(arg));
  return (context) => {
    const values = compiled.map((evaluate) => toPlain(evaluate(context)));
    for (const value of values) {
      const unknown = findUnknown(value);
      if (unknown) return unknown;
    }
    return run(values, offset);
  };
}
