import { aKindOf, isMapping } from './access.ts';
import { LazyMapping } from './lazy.ts';

/** A helper got a value that it cannot work with. */
export class HelperError extends Error {}

/**
 * The text quoted so that a POSIX shell reads it as one word and exactly as it is.
 * @throws HelperError for a NUL, which no argument of a program can hold.
 */
export function quoteForShell(text: string): string {
  if (text.includes('\0'))
    throw new HelperError('`quote` cannot quote a NUL character: no program takes one as argument');
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What `#if` takes for true; as Handlebars does. */
export function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

export function textOf(helper: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new HelperError(`\`${helper}\` needs text, not ${aKindOf(value)}`);
}

export function listOf(helper: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new HelperError(`\`${helper}\` needs a list, not ${aKindOf(value)}`);
}

export function keysOf(helper: string, value: unknown): string[] {
  if (value instanceof LazyMapping) return [...value.names()];
  if (isMapping(value)) return Object.keys(value);
  throw new HelperError(`\`${helper}\` needs a mapping, not ${aKindOf(value)}`);
}

export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return [...value].length;
  return Array.isArray(value) ? value.length : keysOf('length', value).length;
}

export function itemOf(helper: string, value: unknown, position: number): unknown {
  const item = listOf(helper, value).at(position);
  if (item === undefined) throw new HelperError(`\`${helper}\` found the list empty`);
  return item;
}

export function baseName(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  return trimmed === '/' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

export function directoryName(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  if (slash < 0) return '.';
  return trimmed.slice(0, slash).replace(/\/+$/, '') || '/';
}

export function uniqueItems(list: unknown[]): unknown[] {
  const seen = new Set<string>();
  return list.filter((item) => {
    const key = JSON.stringify(item);
    return !seen.has(key) && seen.add(key);
  });
}

export function sorted(list: unknown[]): unknown[] {
  if (list.every((item) => typeof item === 'number')) return list.toSorted((a, b) => a - b);
  const texts = list.map((item) => textOf('sort', item));
  return texts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
