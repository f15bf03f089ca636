/** Where a new line or block goes in a text file: arguments, their check, and the place they mean. */
import { compilePattern } from './pattern.ts';
import type { Line, TextDocument } from './text.ts';

export interface InsertArgs {
  insertafter?: string;
  insertbefore?: string;
}

/** The arguments, for a module that inserts a `line` or a `block`. */
export function insertArguments(what: 'line' | 'block') {
  const place = (where: string) => `Where a new ${what} goes: ${where}.`;
  return {
    insertafter: {
      type: 'string',
      description: place('after the last line that matches this pattern, or EOF (the default)'),
    },
    insertbefore: { type: 'string', description: place('before the last line that matches this pattern, or BOF') },
  } as const;
}

/** What is wrong with the two of them, patterns aside. */
export function insertProblem(args: Record<string, unknown>): string | undefined {
  const both = args.insertafter !== undefined && args.insertbefore !== undefined;
  return both ? 'give either insertafter or insertbefore' : undefined;
}

/** The index to insert at: that of the last (or first) line that matches, or behind it; the end when none does. */
export function insertionPlace(lines: Line[], document: TextDocument, args: InsertArgs, first = false): number {
  const { insertafter: after, insertbefore: before } = args;
  if (before === 'BOF' || after === 'BOF') return 0;
  const source = after ?? before;
  if (source === undefined || source === 'EOF') return lines.length;
  const pattern = compilePattern(document.argument(source));
  const at = findLine(lines, (line) => pattern.test(line), first);
  if (at < 0) return lines.length;
  return after === undefined ? at : at + 1;
}

/** The index of the last (or first) line that matches; -1 without one. */
export function findLine(lines: Line[], matches: (line: string) => boolean, first: boolean): number {
  return first ? lines.findIndex((line) => matches(line.text)) : lines.findLastIndex((line) => matches(line.text));
}
