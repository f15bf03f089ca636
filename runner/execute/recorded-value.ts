import { MASK } from '../journal/masker.ts';
import { Sealed } from '../language/sealed.ts';
import { isUnknown } from '../language/unknown.ts';

/** Longest text of a result in an event, in characters; a longer one is kept as an artefact of the run. */
export const MAX_TEXT = 65_536;

/** Keeps a long text as a file of the run; gives its path in the run's folder, undefined when that failed. */
export type KeepText = (name: string, text: string) => string | undefined;

/** Stands for a text in an event that is kept as a file. */
interface Artefact {
  artefact: string;
  characters: number;
  /** Its beginning, for people. */
  begins: string;
}

/** A register's value as events carry it: plain JSON, unknown values named, very long texts kept as artefacts. */
export function forEvent(result: Record<string, unknown>, keep: KeepText | undefined): Record<string, unknown> {
  return plain(result, 'result', keep) as Record<string, unknown>;
}

const FLAGS = ['changed', 'failed', 'skipped', 'unknown'];

/** All that no_log leaves of a result: whether something was changed, failed or skipped, also of each item of a loop. */
export function hiddenResult(result: Record<string, unknown>): Record<string, unknown> {
  const flags = Object.fromEntries(FLAGS.map((name) => [name, plain(result[name], name, undefined)]));
  const { results } = result;
  return Array.isArray(results) ? { ...flags, results: results.map(hiddenResult) } : flags;
}

function plain(value: unknown, name: string, keep: KeepText | undefined): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? long(value, name, keep) : value;
  if (isUnknown(value)) return { unknown: value.because };
  if (value instanceof Sealed) return value.toJSON();
  if (typeof value === 'bigint') return Number(value);
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (Array.isArray(value)) return list(value, name, keep);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key, keep)]));
}

/** `stdout_lines` of a large output would carry it a second time. */
function list(values: unknown[], name: string, keep: KeepText | undefined): unknown {
  let characters = 0;
  for (const value of values) if (typeof value === 'string') characters += value.length;
  if (characters <= MAX_TEXT) return values.map((value) => plain(value, name, keep));
  return long(JSON.stringify(values), `${name}.json`, keep);
}

function long(text: string, name: string, keep: KeepText | undefined): unknown {
  // The ellipsis also tells the masker where a secret may be cut off.
  const begins = `${text.slice(0, 1000)}…`;
  if (!keep) return `${begins} (${text.length} characters)`;
  const artefact = keep(name, text);
  // Whoever would use it after a resume must not take its beginning for all of it.
  if (artefact === undefined) return `${MASK} (${text.length} characters, which could not be kept)`;
  return { artefact, characters: text.length, begins } satisfies Artefact;
}

/** The value as it was before it went into an event, masked as it was there. `read` gives the text of an artefact. */
export function fromEvent(value: unknown, read: (path: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => fromEvent(item, read));
  if (value === null || typeof value !== 'object') return value;
  if (isArtefact(value)) {
    const text = read(value.artefact);
    return value.artefact.endsWith('.json') ? parsed(text) : text;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromEvent(item, read)]));
}

/** A mask can have swallowed a quote: then the text itself stands for the list, masked as it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isArtefact(value: object): value is Artefact {
  return 'artefact' in value && 'characters' in value && typeof value.artefact === 'string';
}
