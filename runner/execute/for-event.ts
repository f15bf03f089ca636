import { isUnknown } from '../language/unknown.ts';

/** Longest text of a result in an event, in characters; the whole stays in the register. */
const MAX_TEXT = 65_536;

/** A register's value as events carry it: plain JSON, unknown values named, very long text cut. */
export function forEvent(result: Record<string, unknown>): Record<string, unknown> {
  return plain(result) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (cut)` : value;
  if (isUnknown(value)) return { unknown: value.because };
  if (typeof value === 'bigint') return Number(value);
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
