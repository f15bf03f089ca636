import { aKindOf, isMapping, memberNames, readMember, toPlain } from './access.ts';
import { delegated, ValueFault } from './expression-delegate.ts';
import { LazyMapping } from './lazy.ts';
import { findUnknown, isUnknown } from './unknown.ts';

/**
 * `left op right`. Numbers of data mix with CEL's integers, lists may hold anything; all else is the library's.
 * Unknown when an operand is, or holds, an unknown value that the result depends on.
 */
export function binaryOperator(op: string): (left: unknown, right: unknown, offset: number) => unknown {
  if (op === 'in') return membership;
  const delegate = delegated(`_0 ${op} _1`);
  return (left, right, offset) => {
    const a = toPlain(left);
    const b = toPlain(right);
    const unknown = findUnknown(a) ?? findUnknown(b);
    if (unknown) return unknown;
    if (op === '==' || op === '!=') {
      const equal = isEqual(a, b);
      return equal === (op === '==');
    }
    if (isNumber(a) && isNumber(b) && !(typeof a === 'bigint' && typeof b === 'bigint')) {
      return mixedNumbers(op, Number(a), Number(b), offset);
    }
    if (op === '+' && Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
    return delegate([a, b], offset);
  };
}

function mixedNumbers(op: string, a: number, b: number, offset: number): unknown {
  if ((op === '/' || op === '%') && b === 0) throw new ValueFault('expression-value', offset, 'division by zero');
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      if (Number.isInteger(a) && Number.isInteger(b)) return a % b;
      throw new ValueFault('expression-value', offset, '`%` works on whole numbers only');
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

function membership(needle: unknown, haystack: unknown, offset: number): unknown {
  if (isUnknown(haystack)) return haystack;
  const unknownNeedle = findUnknown(needle);
  if (unknownNeedle) return unknownNeedle;
  if (Array.isArray(haystack)) {
    const wanted = toPlain(needle);
    if (haystack.some((item) => isEqual(wanted, toPlain(item)))) return true;
    return findUnknown(haystack) ?? false;
  }
  if (haystack instanceof LazyMapping) return haystack.has(String(needle));
  if (isMapping(haystack)) return readMember(haystack, String(needle)) !== undefined;
  const message = `\`in\` needs a list or a mapping on its right, not ${aKindOf(haystack)}`;
  throw new ValueFault('expression-value', offset, message, 'for a part of a text write `text.contains("…")`');
}

const equalInstances = delegated('_0 == _1');

/** CEL's equality over data: numbers by size, lists and mappings by content, different types are unequal. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 compares a bigint and a number by size
  if (isNumber(a) && isNumber(b)) return a == b;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isEqual(item, b[index]));
  }
  if (isMapping(a) || isMapping(b)) {
    if (!isMapping(a) || !isMapping(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
  }
  return a.constructor === b.constructor && equalInstances([a, b], 0) === true;
}

/** How many characters, items or members; undefined when the library must answer. */
export function sizeOf(value: unknown): bigint | undefined {
  if (typeof value === 'string') return BigInt([...value].length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (value instanceof LazyMapping || isMapping(value)) return BigInt([...memberNames(value)].length);
  return undefined;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
