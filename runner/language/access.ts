import { LazyMapping } from './lazy.ts';
import { Raw } from './raw.ts';
import { Sealed } from './sealed.ts';
import { Unknown } from './unknown.ts';

/**
 * The member `key` of a mapping or list, or undefined when there is none. Own properties only: nothing that JavaScript
 * adds to a value by itself (`constructor`, `__proto__`, methods) can be reached.
 */
export function readMember(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return isIndex(key) ? unwrap(value[Number(key)]) : undefined;
  if (value instanceof LazyMapping) return unwrap(value.get(String(key)));
  if (!isMapping(value) || !Object.hasOwn(value, key)) return undefined;
  return unwrap(value[key]);
}

/** The names that `readMember` finds on a value: what a typo is compared with. */
export function memberNames(value: unknown): Iterable<string> {
  if (value instanceof LazyMapping) return value.names();
  return isMapping(value) ? Object.keys(value) : [];
}

/** True for plain mappings, however they were made; false for lists, dates and instances of classes. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What people call the type of a value: `list`, `mapping`, `string`, `null`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Unknown) return 'unknown value';
  if (value instanceof LazyMapping || isMapping(value)) return 'mapping';
  if (typeof value === 'bigint') return 'number';
  return typeof value === 'object' ? value.constructor.name.toLowerCase() : typeof value;
}

/** The same with its article: `a list`, `an optional`, `null`. */
export function aKindOf(value: unknown): string {
  const kind = kindOf(value);
  if (value === null || value === undefined) return kind;
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/**
 * The value as plain data: lazy mappings read out, `!raw` strings as text, sealed values opened, members without a value left out, unknown
 * leaves kept. Returns the same object when there was nothing to do.
 */
export function toPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Raw) return value.text;
  if (value instanceof Sealed) return value.open();
  if (Array.isArray(value)) {
    const copy = value.map(toPlain);
    return copy.every((item, index) => item === value[index]) ? value : copy;
  }
  if (value instanceof LazyMapping) {
    return Object.fromEntries([...value.names()].map((name) => [name, toPlain(value.get(name))]));
  }
  if (!isMapping(value)) return value;
  const entries = Object.entries(value);
  const copies = entries.map(([key, child]) => [key, toPlain(child)] as const);
  if (copies.every(([, child], index) => child !== undefined && child === entries[index]![1])) return value;
  return Object.fromEntries(copies.filter(([, child]) => child !== undefined));
}

function unwrap(value: unknown): unknown {
  if (value instanceof Sealed) return value.open();
  return value instanceof Raw ? value.text : value;
}

function isIndex(key: string | number): boolean {
  return typeof key === 'number' ? Number.isInteger(key) && key >= 0 : /^\d+$/.test(key);
}
