import { UsageError } from './report-error.ts';

/** No word of a command line can hold it. */
const MARK = '\0';

/**
 * The parser of the command line makes a number of every value that looks like one: of `1.10` 1.1, of `007` 7, of an empty
 * word 0; after `--limit=` it takes the next word. With a mark before them they stay what they are.
 */
export function marked(argv: readonly string[]): string[] {
  return argv.map((word) => {
    const [, option = '', value = word] = /^(--?[^=]+=)(.*)$/s.exec(word) ?? [];
    return Number.isNaN(Number(value)) ? word : `${option}${MARK}${value}`;
  });
}

/** What `marked` was given, in whatever the parser made of it. */
export function unmarked(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? value.slice(MARK.length) : value;
  if (Array.isArray(value)) return value.map(unmarked);
  return value;
}

/** A message of the parser's that quotes words. */
export function withoutMarks(message: string): string {
  return message.replaceAll(MARK, '');
}

/**
 * The options without marks.
 * @throws UsageError for an empty value: most likely a variable of the caller's that is not set, and no limit is all hosts.
 */
export function unmarkedOptions(options: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(options).map(([name, value]): [string, unknown] => [name, unmarked(value)]);
  const empty = entries.find(([name, value]) => name !== '--' && [value].flat().includes(''));
  if (!empty) return Object.fromEntries(entries);
  const option =
    empty[0].length === 1 ? `-${empty[0]}` : `--${empty[0].replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
  throw new UsageError(`${option} was given an empty value`, 'leave it out, or is a variable not set?');
}
