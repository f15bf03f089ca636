/**
 * Reads a value of an INI inventory as Ansible does (Python's ast.literal_eval): numbers, quoted strings, True, False,
 * None, tuples, lists, dicts and sets are what they are in Python; everything else is text.
 */
export function iniValue(text: string): unknown {
  if (PLAIN_WORD.test(text)) return CONSTANTS.has(text) ? CONSTANTS.get(text) : text;
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (!LITERAL_START.test(text)) return text;
  try {
    return new LiteralReader(text).whole();
  } catch (error) {
    if (!(error instanceof NotLiteral)) throw error;
    return text;
  }
}

const PLAIN_WORD = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const LITERAL_START = /^[ \t]*(?:[-+.\d'"([{]|[bBuUrR]{1,2}['"]|True\b|False\b|None\b|set\()/;
const CONSTANTS = new Map<string, boolean | null>([
  ['True', true],
  ['False', false],
  ['None', null],
]);

class NotLiteral extends Error {}

const NUMBER =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?|\d(?:_?\d)*\.(?:[eE][-+]?\d(?:_?\d)*)?|\d(?:_?\d)*[eE][-+]?\d(?:_?\d)*|\d(?:_?\d)*)(?![\w.])/y;
const STRING_START = /([bBuUrR]{0,2})("""|'''|"|')/y;
const SPACE = /(?:\s|\\\n)*/y;
const NAME = /(True|False|None)(?!\w)/y;
const EMPTY_SET = /set\(\s*\)/y;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text.replace(/^[ \t]+/, '');
  }

  whole(): unknown {
    const value = this.#sequence(['']);
    if (this.#at < this.#text.length) throw new NotLiteral();
    return value;
  }

  /** One value, or several with commas between them, which is a tuple; ends before one of `ends`. */
  #sequence(ends: string[]): unknown {
    const first = this.#value();
    if (!this.#take(',')) return first;
    const items = [first];
    while (!ends.includes(this.#peek())) {
      items.push(this.#value());
      if (!this.#take(',')) break;
    }
    return items;
  }

  #value(): unknown {
    if (++this.#depth > 100) throw new NotLiteral();
    try {
      return this.#single();
    } finally {
      this.#depth--;
    }
  }

  #single(): unknown {
    const char = this.#peek();
    if (char === '(') return this.#parenthesis();
    if (char === '[') return this.#list('[', ']');
    if (char === '{') return this.#braces();
    if (char === '-' || char === '+') return this.#signed();
    if (this.#match(EMPTY_SET)) return [];
    const name = this.#match(NAME);
    if (name) return CONSTANTS.get(name[1]!);
    const number = this.#match(NUMBER);
    return number ? toNumber(number[0]) : this.#strings();
  }

  #signed(): number {
    const sign = this.#text[this.#at] === '-' ? -1 : 1;
    this.#at++;
    this.#peek();
    const number = this.#match(NUMBER);
    const value = number && toNumber(number[0]);
    if (typeof value !== 'number') throw new NotLiteral();
    return sign * value || 0;
  }

  #parenthesis(): unknown {
    this.#expect('(');
    if (this.#take(')')) return [];
    const value = this.#sequence([')']);
    this.#expect(')');
    return value;
  }

  #list(open: string, close: string): unknown[] {
    this.#expect(open);
    const items: unknown[] = [];
    while (!this.#take(close)) {
      items.push(this.#value());
      if (this.#take(',')) continue;
      this.#expect(close);
      break;
    }
    return items;
  }

  #braces(): unknown {
    const start = this.#at;
    this.#expect('{');
    if (this.#take('}')) return {};
    const key = this.#value();
    if (!this.#take(':')) {
      this.#at = start;
      return this.#list('{', '}');
    }
    const entries: [string, unknown][] = [[keyText(key), this.#value()]];
    while (this.#take(',') && this.#peek() !== '}') {
      const next = keyText(this.#value());
      this.#expect(':');
      entries.push([next, this.#value()]);
    }
    this.#expect('}');
    return Object.fromEntries(entries);
  }

  /** Strings side by side are one. */
  #strings(): string {
    let text = '';
    let count = 0;
    for (let match = this.#match(STRING_START); match; match = this.#match(STRING_START)) {
      const [, prefix, quote] = match as unknown as [string, string, string];
      if (/u/i.test(prefix) && prefix.length > 1) throw new NotLiteral();
      text += this.#string(quote, /r/i.test(prefix));
      count++;
      this.#peek();
    }
    if (count === 0) throw new NotLiteral();
    return text;
  }

  #string(quote: string, isRaw: boolean): string {
    const start = this.#at;
    for (let at = start; at < this.#text.length; at++) {
      if (this.#text[at] === '\\') at++;
      else if (this.#text.startsWith(quote, at)) {
        this.#at = at + quote.length;
        const body = this.#text.slice(start, at);
        return isRaw ? body : unescaped(body);
      } else if (this.#text[at] === '\n' && quote.length === 1) throw new NotLiteral();
    }
    throw new NotLiteral();
  }

  #peek(): string {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
    if (this.#text[this.#at] === '#') this.#at = this.#text.length;
    return this.#text[this.#at] ?? '';
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new NotLiteral();
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match;
  }
}

/** A number of Python; a whole number too large to be kept exactly stays text. */
function toNumber(text: string): number | string {
  const digits = text.replaceAll('_', '');
  // 0644 is an error in Python, and so text.
  if (/^0\d*[1-9]/.test(digits) && /^\d+$/.test(digits)) throw new NotLiteral();
  const value = Number(digits);
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^\d+$/.test(digits) ? digits : value;
}

function keyText(key: unknown): string {
  if (typeof key === 'boolean') return key ? 'true' : 'false';
  if (key === null || typeof key === 'string' || typeof key === 'number') return String(key);
  throw new NotLiteral();
}

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

function unescaped(body: string): string {
  return body.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|\n))/gs,
    (all, octal, hex, unicode, long, char: string) => {
      if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
      const code = hex ?? unicode ?? long;
      if (code) return codePoint(code);
      // \x, \u and \U without their digits are errors.
      if (char === 'x' || char === 'u' || char === 'U' || char === 'N') throw new NotLiteral();
      return ESCAPES[char] ?? all;
    },
  );
}

function codePoint(hex: string): string {
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff) throw new NotLiteral();
  return String.fromCodePoint(code);
}
