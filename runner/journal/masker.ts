/** Secrets shorter than this are not masked: masking "1234" would tear holes into everything. */
export const MIN_SECRET_LENGTH = 6;
/** What stands in a secret's place. */
export const MASK = '********';

/** Knows every secret of a run and takes them out of whatever is about to be shown or written. */
export class Masker {
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;
  readonly #tooShort: (length: number) => void;

  /** @param tooShort is told of a secret that is too short to be masked (its length only). */
  constructor(tooShort: (length: number) => void = () => {}) {
    this.#tooShort = tooShort;
  }

  /** Adds a secret; a mapping or list adds every string and number in it. */
  add(value: unknown): void {
    if (typeof value === 'string') this.#addText(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#addText(String(value));
    else if (value !== null && typeof value === 'object') for (const child of Object.values(value)) this.add(child);
  }

  /** The text with every form of every secret replaced. */
  text(text: string): string {
    if (this.#forms.size === 0) return text;
    this.#pattern ??= new RegExp(
      [...this.#forms]
        .sort((a, b) => b.length - a.length)
        .map(RegExp.escape)
        .join('|'),
      'g',
    );
    return text.replace(this.#pattern, MASK);
  }

  /** A copy of a JSON value with every string (keys too) masked; the value itself when there is no secret yet. */
  value<T>(value: T): T {
    return this.#forms.size === 0 ? value : (this.#walk(value) as T);
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]));
  }

  #addText(secret: string): void {
    if (secret.length < MIN_SECRET_LENGTH) {
      if (secret.length > 0) this.#tooShort(secret.length);
      return;
    }
    const forms = new Set<string>();
    for (const part of [secret, ...secret.split('\n')]) {
      if (part.trim().length < MIN_SECRET_LENGTH) continue;
      forms.add(part);
      forms.add(JSON.stringify(part).slice(1, -1));
      forms.add(part.replaceAll("'", `'\\''`));
      forms.add(encodeURIComponent(part));
      for (const encoded of base64Forms(part)) forms.add(encoded);
    }
    for (const form of forms) this.#forms.add(form);
    this.#pattern = undefined;
  }
}

/** The part of a secret's base64 that does not depend on its neighbours, for each of the three alignments. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const start = shift === 0 ? 0 : shift + 1;
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const stable = encoded.slice(start, whole);
    return stable.length >= MIN_SECRET_LENGTH ? [stable, stable.replaceAll('+', '-').replaceAll('/', '_')] : [];
  });
}
