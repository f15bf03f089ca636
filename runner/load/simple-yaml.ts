import type { Place } from '../errors.ts';
import type { TextPlace } from '../language/text-place.ts';
import type { Document, Path } from './document.ts';
import { LineIndex } from './line-index.ts';

/**
 * A fast way for the plainest YAML there is, which most files of variables and large inventories are: mappings of
 * mappings in block form, one key a line, values that mean the same in YAML 1.1 and 1.2 (words, whole numbers, decimal
 * fractions, true and false, quoted text without escapes). Some thirty times as fast as the parser. Undefined for
 * everything else, in which case the parser reads the file, also when it is wrong: errors are the parser's.
 */
export function parseSimpleYaml(text: string, file: string): Document | undefined {
  if (OTHER_CHARACTERS.test(text)) return undefined;
  const root = new Branch();
  const open: { indent: number; branch: Branch }[] = [{ indent: 0, branch: root }];
  let pending: { branch: Branch; name: string; indent: number; at: number } | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    LINE.lastIndex = start;
    const match = LINE.exec(text);
    if (!match || match.index + match[0].length !== end) return undefined;
    const [, spaces, name, value] = match as unknown as [string, string, string | undefined, string | undefined];
    if (name !== undefined) {
      const indent = spaces.length;
      const at = start + indent;
      if (pending && indent > pending.indent) {
        const branch = new Branch();
        pending.branch.set(pending.name, branch.value, branch, pending.at);
        open.push({ indent, branch });
      } else while (open.length > 1 && open.at(-1)!.indent > indent) open.pop();
      pending = undefined;
      const { branch, indent: level } = open.at(-1)!;
      if (level !== indent || branch.offset(name) !== undefined || NO_KEYS.test(name) || open.length > MAX_DEPTH)
        return undefined;
      if (value === undefined) {
        branch.set(name, null, undefined, at);
        pending = { branch, name, indent, at };
      } else {
        const read = scalar(value);
        if (read === undefined) return undefined;
        branch.set(name, read, undefined, at);
      }
    }
    start = end + 1;
  }
  return root.isEmpty ? undefined : new SimpleDocument(text, file, root);
}

const MAX_DEPTH = 50;
/** Anything that could begin a tag, an alias, a flow collection, a block scalar, a document, or a template. */
const OTHER_CHARACTERS = /[\t\r&*!|>%@`{}[\]?\\\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]/;
const LINE = /( *)(?:(\w[\w.-]*):(?: +("[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_/.][^\n"'#:,]*))?)? *(?:(?<=^|[ \n])#[^\n]*)?/y;
/** Words that are no text in YAML 1.1 or 1.2, or in one of them. */
const SPECIAL = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

const NO_KEYS = /^(?:null|__proto__)$/i;

/** Undefined when the two versions of YAML might not agree. */
function scalar(written: string): unknown {
  const quote = written[0];
  if (quote === '"' || quote === "'") return written.slice(1, -1);
  const text = written.trimEnd();
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (/^[A-Za-z_/]/.test(text)) {
    if (!SPECIAL.test(text)) return text;
    return text === 'true' ? true : text === 'false' ? false : undefined;
  }
  if (/^\d{1,9}\.\d{1,9}$/.test(text)) return Number(text);
  // Addresses and versions.
  return /^\d+(?:\.\d+){2,}(?:[-+][\w.+-]*)?$/.test(text) ? text : undefined;
}

/** A mapping, and where its keys stand. */
class Branch {
  readonly value: Record<string, unknown> = {};
  readonly #offsets = new Map<string, number>();
  readonly #branches = new Map<string, Branch>();

  get isEmpty(): boolean {
    return this.#offsets.size === 0;
  }

  set(name: string, value: unknown, branch: Branch | undefined, at: number): void {
    this.value[name] = value;
    this.#offsets.set(name, at);
    if (branch) this.#branches.set(name, branch);
  }

  offset(name: string): number | undefined {
    return this.#offsets.get(name);
  }

  branch(name: string): Branch | undefined {
    return this.#branches.get(name);
  }

  /** Where its first key stands. */
  get start(): number {
    return this.#offsets.values().next().value ?? 0;
  }
}

class SimpleDocument implements Document {
  readonly file: string;
  readonly text: string;
  readonly value: Record<string, unknown>;
  readonly #root: Branch;
  readonly #lines: LineIndex;

  constructor(text: string, file: string, root: Branch) {
    this.file = file;
    this.text = text;
    this.value = root.value;
    this.#root = root;
    this.#lines = new LineIndex(text, file);
  }

  place(path: Path, of: 'key' | 'value' = 'value'): Place {
    const { key, branch, isExact } = this.#find(path);
    if (key === undefined) return this.#lines.place(this.#root.start);
    if (of === 'key' && isExact) return this.#lines.place(key, this.text.indexOf(':', key));
    return branch ? this.#lines.place(branch.start) : this.#lines.place(...this.#valueRange(key));
  }

  textPlace(path: Path): TextPlace {
    const { key, branch } = this.#find(path);
    const [from, to] = key === undefined || branch ? [branch?.start ?? 0, this.text.length] : this.#valueRange(key);
    const quotes = this.text[from] === '"' || this.text[from] === "'" ? 1 : 0;
    const last = branch ? from : to - quotes;
    return { placeAt: (offset) => this.#lines.place(Math.min(from + quotes + Math.max(0, offset), last)) };
  }

  /** The key that a path leads to, or the nearest one above it, and the mapping behind it. */
  #find(path: Path): { key?: number; branch?: Branch; isExact: boolean } {
    let found: { key?: number; branch?: Branch; isExact: boolean } = { branch: this.#root, isExact: true };
    for (const step of path) {
      const key = found.branch?.offset(String(step));
      if (key === undefined) return { ...found, isExact: false };
      const branch = found.branch?.branch(String(step));
      found = branch ? { key, branch, isExact: true } : { key, isExact: true };
    }
    return found;
  }

  /** Of text and numbers; of no value at all the place behind the colon. */
  #valueRange(key: number): [number, number] {
    const colon = this.text.indexOf(':', key) + 1;
    VALUE.lastIndex = colon;
    const value = VALUE.exec(this.text)?.[1];
    if (value === undefined) return [colon, colon];
    const start = VALUE.lastIndex - value.length;
    return [start, start + value.trimEnd().length];
  }
}

const VALUE = / +("[^"\n]*"|'[^'\n]*'|[^\s#][^\n#]*)/y;
