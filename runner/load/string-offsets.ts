import type { Scalar } from 'yaml';

/**
 * Maps every UTF-16 unit of a decoded YAML string to its offset in the source; one entry more gives the string's end.
 * Follows the folding rules of YAML 1.2 (chapters 7.3 and 8.1). `undefined` when the two do not line up, which would
 * be a difference to the parser's reading; callers then fall back to the start of the string.
 */
export function stringOffsets(source: string, node: Scalar.Parsed): number[] | undefined {
  const value = String(node.value);
  const [start, end] = node.range;
  switch (node.type) {
    case 'QUOTE_DOUBLE':
      return checked(doubleQuoted(source, start + 1, end - 1), value);
    case 'QUOTE_SINGLE':
      return checked(flow(source, start + 1, end - 1, true), value);
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      return block(source, start, end, value);
    default:
      return checked(flow(source, start, end, false), value);
  }
}

/** Decoded text under construction, each unit with the offset it came from. */
class Decoded {
  readonly units: string[] = [];
  readonly offsets: number[] = [];

  add(piece: string, offset: number): void {
    for (let at = 0; at < piece.length; at++) {
      this.units.push(piece[at]!);
      this.offsets.push(offset);
    }
  }

  /** Takes back white space at the end, down to `floor` units. */
  trimEnd(floor: number): void {
    while (this.units.length > floor && (this.units.at(-1) === ' ' || this.units.at(-1) === '\t')) {
      this.units.pop();
      this.offsets.pop();
    }
  }

  end(offset: number): this {
    this.offsets.push(offset);
    return this;
  }
}

function checked(decoded: Decoded, value: string): number[] | undefined {
  return decoded.units.join('') === value ? decoded.offsets : undefined;
}

/** Position after a line break at `at` and the blank lines that follow it, and how many breaks there were. */
function skipBreaks(source: string, at: number, end: number): { next: number; breaks: number } {
  let breaks = 0;
  let next = at;
  for (;;) {
    let scan = next;
    while (scan < end && (source[scan] === ' ' || source[scan] === '\t')) scan++;
    if (source[scan] === '\r' && source[scan + 1] === '\n') scan++;
    if (scan >= end || source[scan] !== '\n') return { next: scan, breaks };
    breaks++;
    next = scan + 1;
  }
}

function isBreak(source: string, at: number): boolean {
  return source[at] === '\n' || (source[at] === '\r' && source[at + 1] === '\n');
}

function addFold(decoded: Decoded, breaks: number, offset: number): void {
  decoded.add(breaks === 1 ? ' ' : '\n'.repeat(breaks - 1), offset);
}

function flow(source: string, start: number, end: number, quoted: boolean): Decoded {
  const decoded = new Decoded();
  let at = start;
  while (at < end) {
    if (isBreak(source, at)) {
      decoded.trimEnd(0);
      const { next, breaks } = skipBreaks(source, at, end);
      addFold(decoded, breaks, at);
      at = next;
    } else {
      decoded.add(source[at]!, at);
      at += quoted && source[at] === "'" && source[at + 1] === "'" ? 2 : 1;
    }
  }
  return decoded.end(end);
}

const ESCAPES: Record<string, string> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
  '\t': '\t',
};
const HEX_LENGTHS: Record<string, number> = { x: 2, u: 4, U: 8 };

function doubleQuoted(source: string, start: number, end: number): Decoded {
  const decoded = new Decoded();
  /** White space before here was written as an escape and is not folded away. */
  let kept = 0;
  let at = start;
  while (at < end) {
    const char = source[at]!;
    if (isBreak(source, at)) {
      decoded.trimEnd(kept);
      const { next, breaks } = skipBreaks(source, at, end);
      addFold(decoded, breaks, at);
      kept = decoded.units.length;
      at = next;
    } else if (char === '\\') {
      at = addEscape(source, at, end, decoded);
      kept = decoded.units.length;
    } else {
      decoded.add(char, at);
      at++;
    }
  }
  return decoded.end(end);
}

/** Decodes the escape at `at`; gives the offset after it. */
function addEscape(source: string, at: number, end: number, decoded: Decoded): number {
  const char = source[at + 1] ?? '';
  if (isBreak(source, at + 1)) {
    let next = source.indexOf('\n', at + 1) + 1;
    while (next < end && (source[next] === ' ' || source[next] === '\t')) next++;
    return next;
  }
  const digits = HEX_LENGTHS[char];
  if (digits === undefined) {
    decoded.add(ESCAPES[char] ?? char, at);
    return at + 2;
  }
  const code = Number.parseInt(source.slice(at + 2, at + 2 + digits), 16);
  decoded.add(code <= 0x10ffff ? String.fromCodePoint(code) : '', at);
  return at + 2 + digits;
}

/**
 * A literal or folded block: lines up the decoded text with the source line by line. Between two lines with content the
 * decoded text has line breaks or, when folded, one space; nothing else can stand there.
 */
function block(source: string, start: number, end: number, value: string): number[] | undefined {
  const headerEnd = source.indexOf('\n', start);
  if (headerEnd === -1) return value === '' ? [start] : undefined;
  const indent = blockIndent(source.slice(headerEnd + 1, end), value);
  const offsets: number[] = [];
  let used = 0;
  let lineEnd = headerEnd;
  for (let at = headerEnd + 1; at < end; ) {
    const newline = source.indexOf('\n', at);
    const next = newline === -1 ? source.length : newline;
    const content = source.slice(at + indent, next).replace(/\r$/, '');
    if (next - at > indent && content !== '') {
      used = addSeparators(value, used, lineEnd, offsets);
      if (!value.startsWith(content, used)) break;
      for (let i = 0; i < content.length; i++) offsets.push(at + indent + i);
      used += content.length;
      lineEnd = next;
    }
    at = next + 1;
  }
  while (used < value.length && value[used] === '\n') {
    offsets.push(lineEnd);
    used++;
  }
  offsets.push(lineEnd);
  return used === value.length ? offsets : undefined;
}

function addSeparators(value: string, from: number, offset: number, offsets: number[]): number {
  let used = from;
  while (value[used] === '\n') {
    offsets.push(offset);
    used++;
  }
  if (used === from && used > 0 && value[used] === ' ') {
    offsets.push(offset);
    used++;
  }
  return used;
}

/** The indentation that the parser took off every line: what the first line with text has more in the source. */
function blockIndent(body: string, value: string): number {
  const inSource = /^([ ]*)[^ \r\n]/m.exec(body)?.[1]?.length ?? 0;
  const inValue = /^([ ]*)[^ \r\n]/m.exec(value)?.[1]?.length ?? 0;
  return Math.max(0, inSource - inValue);
}
