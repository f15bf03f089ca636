import { EXIT } from '../../errors.ts';
import { painter } from '../../report/paint.ts';
import type { Finding } from './finding.ts';

/** Findings of one subject as lines for a person. */
export function findingLines(findings: readonly Finding[], color: boolean): string[] {
  const paint = painter(color);
  const subject = findings[0]?.subject;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const styles = { ok: 'ok', warning: 'changed', error: 'failed' } as const;
  return [
    paint.bold(subject ?? ''),
    ...findings.flatMap(({ level, check, message, fix }) => [
      `  ${paint.status(styles[level], level.padEnd('warning'.length))}  ${check.padEnd(width)}  ${message}`,
      ...(fix === undefined ? [] : [`${' '.repeat(width + 13)}mend it: ${fix}`]),
    ]),
  ];
}

/** The last line. */
export function closingLine(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const errors = count('error');
  const warnings = count('warning');
  if (errors + warnings === 0) return 'All is well.';
  const parts = [errors > 0 ? counted(errors, 'error') : '', warnings > 0 ? counted(warnings, 'warning') : ''];
  return `${parts.filter((part) => part !== '').join(', ')}.`;
}

export function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ unreachable }) => unreachable)) return EXIT.unreachable;
  return findings.some(({ level }) => level === 'error') ? EXIT.taskFailed : EXIT.done;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
