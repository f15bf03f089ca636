import { createTwoFilesPatch } from 'diff';
import type { Change } from '../module.ts';
import type { Painter } from './paint.ts';

/** Whether `unifiedDiff` has something to say, without the work of saying it. */
export function hasDiff({ sensitive, before, after }: Change): boolean {
  return sensitive === true || asText(before) !== asText(after);
}

/** A change as a unified diff; an empty list when before and after are not known or must not be shown. */
export function unifiedDiff(change: Change, paint: Painter): string[] {
  if (!hasDiff(change)) return [];
  if (change.sensitive) return [paint.dim('(not shown: it holds secrets)')];
  const before = asText(change.before);
  const after = asText(change.after);
  const name = change.path ?? change.summary;
  const patch = createTwoFilesPatch(
    change.before === undefined ? '/dev/null' : `${name} (before)`,
    change.after === undefined ? '/dev/null' : `${name} (after)`,
    before,
    after,
    undefined,
    undefined,
    { context: 3 },
  );
  return patch
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => colored(line, paint));
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function colored(line: string, paint: Painter): string {
  if (line.startsWith('+++') || line.startsWith('---')) return paint.bold(line);
  if (line.startsWith('+')) return paint.added(line);
  if (line.startsWith('-')) return paint.removed(line);
  return line.startsWith('@@') ? paint.dim(line) : line;
}
