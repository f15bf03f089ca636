/** No word of a command line can hold it. */
const MARK = '\0';

/**
 * The words of a command line, guarded against a parser that takes `1.10` for the number 1.1, an empty value for 0, and
 * the word after `--limit=` for its value: a host may be called 010, and a limit that is empty must not become another.
 */
export function guarded(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => {
    if (end >= 0 && index >= end) return word;
    const [, option, value] = /^(--?[^=]+=)(.*)$/s.exec(word) ?? [];
    if (option !== undefined) return looksLikeNumber(value!) ? option + MARK + value : word;
    return looksLikeNumber(word) && !word.startsWith('-') ? MARK + word : word;
  });
}

/** What the parser made of guarded words, as they were written. */
export function unguarded<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(MARK, '') as T;
  if (Array.isArray(value)) return value.map(unguarded) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unguarded(item)])) as T;
}

function looksLikeNumber(text: string): boolean {
  return Number.isFinite(Number(text));
}
