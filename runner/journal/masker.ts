import { MIN_SECRET_LENGTH, secretForms } from './secret-forms.ts';
import { type Span, TextFinder } from './text-finder.ts';

/** What stands in a secret's place. */
export const MASK = '********';

/** What is too long to be shown was cut before it came here, and ends in this. */
const ELLIPSIS = '…';

/**
 * Keys of an event that reeve itself fills from a few words, and those that say what the event is about: a secret that is
 * such a word, or the name of a host, must not change them. A run that goes on would look for its tasks in vain, and do them
 * again.
 */
const STRUCTURE: ReadonlySet<string> = new Set([
  ...['type', 'status', 'level', 'stream'],
  ...['host', 'hosts', 'delegate', 'block', 'id', 'module', 'kind', 'section', 'recap'],
]);

/** Knows every secret of a run and takes them out of whatever is about to be shown or written. */
export class Masker {
  readonly #finder = new TextFinder();
  readonly #known = new Set<string>();
  readonly #tooShort: (length: number) => void;

  /** @param tooShort is told of a secret that is too short to be masked (its length only). */
  constructor(tooShort: (length: number) => void = () => {}) {
    this.#tooShort = tooShort;
  }

  /**
   * Adds a secret; a mapping or list adds every string and number in it. What is sealed has nothing to add: it is told when
   * it is opened, and what it shows until then is no secret.
   */
  add(value: unknown): void {
    if (typeof value === 'string') this.#addText(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#addText(String(value));
    else if (value !== null && typeof value === 'object' && !isSealed(value))
      for (const child of Object.values(value)) this.add(child);
  }

  /** The text with every form of every secret replaced, also one that an ellipsis cuts off. */
  text(text: string): string {
    return this.#finder.size === 0 ? text : masked(text, this.#finder.findAlsoCut(text, ELLIPSIS));
  }

  /** A copy of a JSON value with every string (keys too) masked; the value itself when there is no secret yet. */
  value<T>(value: T): T {
    return this.#finder.size === 0 ? value : (this.#walk(value) as T);
  }

  /** The same of an event, whose own keys and few-worded values stay what readers know. */
  event<T extends object>(event: T): T {
    if (this.#finder.size === 0) return event;
    const entries = Object.entries(event).map(([key, value]) => {
      if (key === 'task') return [key, typeof value === 'string' ? value : this.event(value)];
      return [key, STRUCTURE.has(key) ? value : this.#walk(value)];
    });
    return Object.fromEntries(entries) as T;
  }

  /**
   * The part of a growing text that can be shown, masked, and the rest, which may be the beginning of a secret and is
   * given again with what follows it. The rest is never longer than two secrets.
   */
  split(text: string): { shown: string; rest: string } {
    if (this.#finder.size === 0) return { shown: text, rest: '' };
    const spans = this.#finder.find(text);
    let end = this.#finder.openEnd(text);
    // A secret that reaches into what is held back is held back as a whole.
    const crossing = spans.findLast((span) => span.start < end && span.end > end);
    if (crossing) end = crossing.start;
    const before = spans.filter((span) => span.end <= end);
    return { shown: masked(text.slice(0, end), before), rest: text.slice(end) };
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.#known.has(String(value)) ? MASK : value;
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]));
  }

  #addText(secret: string): void {
    if (this.#known.has(secret)) return;
    if (secret.length < MIN_SECRET_LENGTH) {
      if (secret.length > 0) this.#tooShort(secret.length);
      return;
    }
    this.#known.add(secret);
    for (const form of secretForms(secret)) this.#finder.add(form);
  }
}

/** Data has no methods. */
function isSealed(value: object): boolean {
  return typeof (value as { open?: unknown }).open === 'function';
}

function masked(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let result = '';
  let at = 0;
  for (const { start, end } of spans) {
    result += text.slice(at, start) + MASK;
    at = end;
  }
  return result + text.slice(at);
}
