/** Two places in a text: from `start` up to `end`. */
export interface Span {
  start: number;
  end: number;
}

/** Characters that every text sought for begins with a hash of. */
const WINDOW = 6;
/** Fewer characters of a text that was cut off tell nothing of it. */
const CUT_AT_LEAST = 3;
/** What is shown of a long text is shorter. */
const CUT_AT_MOST = 1100;
const BASE = 0x01000193;
const FILTER_BITS = 16;

/**
 * Finds any of many texts in one pass: the hash of the next six characters rolls along (Rabin and Karp), a small table
 * says for nearly every place that nothing begins there. A regular expression of as many alternatives tries them one by
 * one at each place.
 */
export class TextFinder {
  readonly #filter = new Uint8Array(1 << FILTER_BITS);
  readonly #texts = new Map<number, string[]>();
  /** Beginnings that are shorter than the window. */
  readonly #beginnings = new Set<string>();
  readonly #seen = new Set<string>();
  #longest = 0;

  get size(): number {
    return this.#seen.size;
  }

  /** Length of the longest text, in characters. */
  get longest(): number {
    return this.#longest;
  }

  /** @param text at least six characters. */
  add(text: string): void {
    if (text.length < WINDOW || this.#seen.has(text)) return;
    this.#seen.add(text);
    const hash = hashAt(text, 0);
    this.#filter[hash >>> (32 - FILTER_BITS)] = 1;
    const bucket = this.#texts.get(hash) ?? [];
    bucket.push(text);
    // The longest match at a place is the one that counts.
    this.#texts.set(
      hash,
      bucket.sort((a, b) => b.length - a.length),
    );
    for (let length = 1; length < WINDOW; length++) this.#beginnings.add(text.slice(0, length));
    this.#longest = Math.max(this.#longest, text.length);
  }

  /** Every place where one of the texts stands, those that overlap as one, in order. */
  find(text: string): Span[] {
    const spans: Span[] = [];
    const last = text.length - WINDOW;
    if (last < 0 || this.size === 0) return spans;
    let current: Span | undefined;
    for (let at = 0, hash = hashAt(text, 0); at <= last; at++) {
      if (this.#filter[hash >>> (32 - FILTER_BITS)] === 1) {
        const found = this.#texts.get(hash)?.find((one) => text.startsWith(one, at));
        if (found !== undefined) current = join(spans, current, at, at + found.length);
      }
      if (at < last) hash = roll(hash, text.charCodeAt(at), text.charCodeAt(at + WINDOW));
    }
    return spans;
  }

  /** As `find`; in front of `cut` the beginning of one of the texts counts as well. */
  findAlsoCut(text: string, cut: string): Span[] {
    const spans = this.find(text);
    const whole = spans.length;
    let before = 0;
    for (let at = text.indexOf(cut); at >= 0; at = text.indexOf(cut, before)) {
      const start = Math.max(before, at - Math.min(this.#longest - 1, CUT_AT_MOST));
      before = at + cut.length;
      const beginning = start + this.openEnd(text.slice(start, at));
      if (at - beginning >= CUT_AT_LEAST) spans.push({ start: beginning, end: at });
    }
    return spans.length === whole ? spans : united(spans);
  }

  /** Where a text may go on to be one of those sought for: the first place from which all the rest is its beginning. */
  openEnd(text: string): number {
    const first = Math.max(0, text.length - this.#longest + 1);
    const last = text.length - WINDOW;
    for (let at = first, hash = first <= last ? hashAt(text, first) : 0; at <= last; at++) {
      if (this.#filter[hash >>> (32 - FILTER_BITS)] === 1) {
        const rest = text.slice(at);
        if (this.#texts.get(hash)?.some((one) => one.length > rest.length && one.startsWith(rest))) return at;
      }
      if (at < last) hash = roll(hash, text.charCodeAt(at), text.charCodeAt(at + WINDOW));
    }
    for (let at = Math.max(first, last + 1); at < text.length; at++)
      if (this.#beginnings.has(text.slice(at))) return at;
    return text.length;
  }
}

/** In order, those that overlap as one. */
function united(spans: Span[]): Span[] {
  const sorted = spans.toSorted((a, b) => a.start - b.start);
  const all: Span[] = [];
  let current: Span | undefined;
  for (const { start, end } of sorted) current = join(all, current, start, end);
  return all;
}

function join(spans: Span[], current: Span | undefined, start: number, end: number): Span {
  if (current && start < current.end) {
    current.end = Math.max(current.end, end);
    return current;
  }
  const span = { start, end };
  spans.push(span);
  return span;
}

function hashAt(text: string, start: number): number {
  let hash = 0;
  for (let at = start; at < start + WINDOW; at++) hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
  return hash;
}

const LEAVING = Array.from({ length: WINDOW - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);

function roll(hash: number, leaving: number, entering: number): number {
  return (Math.imul(hash - Math.imul(leaving, LEAVING), BASE) + entering) | 0;
}
