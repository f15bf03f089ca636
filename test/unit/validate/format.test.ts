import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../runner/errors.ts';
import { formatDiagnostics } from '../../../runner/validate/format.ts';

const error = (line: number, column: number, more: Partial<Diagnostic> & { endColumn?: number } = {}): Diagnostic => {
  const { endColumn, ...rest } = more;
  const place = { file: 'f.yaml', line, column, ...(endColumn ? { endColumn } : {}) };
  return { code: 'x', severity: 'error', message: 'it is wrong', place, ...rest };
};
const format = (text: string, ...diagnostics: Diagnostic[]) => formatDiagnostics(diagnostics, () => text);

/** What stands above the carets. */
function underlined(output: string): string {
  const lines = output.split('\n');
  const at = lines.findIndex((line) => /\| *\^+$/.test(line));
  const start = lines[at]!.indexOf('^');
  return lines[at - 1]!.slice(start, lines[at]!.length);
}

describe('formatDiagnostics', () => {
  it('shows place, message, lines around, carets, related places and hint', () => {
    const related = [{ message: 'first here', place: { file: 'f.yaml', line: 1, column: 1 } }];
    expect(format('a: 1\nb: 22\nc: 3\nd: 4\n', error(2, 4, { endColumn: 6, hint: 'do this', related }))).toBe(
      [
        'f.yaml:2:4: error: it is wrong',
        '  1 | a: 1',
        '  2 | b: 22',
        '    |    ^^',
        '  3 | c: 3',
        '  f.yaml:1:1: first here',
        '  hint: do this',
      ].join('\n'),
    );
  });

  it('keeps line numbers in one column', () => {
    const text = Array.from({ length: 12 }, (_, i) => `line${i + 1}`).join('\n');
    expect(format(text, error(9, 1))).toContain('   8 | line8\n   9 | line9\n     | ^\n  10 | line10');
  });

  it.each([
    ['a tab', '\tkey: x', 2, 5, 'key'],
    ['wide characters', '名前: x', 5, 6, 'x'],
    ['an emoji', '😀😀: x', 7, 8, 'x'],
  ])('the caret stands right after %s', (_name, text, column, endColumn, word) => {
    const output = format(text, error(1, column, { endColumn }));
    // Wide characters take two columns of the terminal and one of the text.
    const padded = output.replaceAll(/[名前]|😀/gu, 'WW');
    expect(underlined(padded)).toBe(word);
  });

  it('combining marks take no column', () => {
    expect(format('e\u0301: x', error(1, 5))).toMatch(/\n {4}\| {4}\^$/);
  });

  it('shows the part of a very long line that matters', () => {
    const output = format(`${'a'.repeat(5000)}HERE${'b'.repeat(5000)}`, error(1, 5001, { endColumn: 5005 }));
    expect(underlined(output)).toBe('HERE');
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThan(200);
  });

  it('nothing in a file can steer the terminal', () => {
    const output = format('a: \u001b[31mred\u0007\n', error(1, 1, { message: 'bad \u001b]0;title\u0007 thing' }));
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('shows 50 and counts the rest', () => {
    const output = format('a', ...Array.from({ length: 60 }, () => error(1, 1)));
    expect(output.match(/it is wrong/g)).toHaveLength(50);
    expect(output).toContain('and 10 more');
  });

  it('does without a place and without the source', () => {
    expect(formatDiagnostics([{ code: 'x', severity: 'warning', message: 'odd' }], () => undefined)).toBe(
      'warning: odd',
    );
    expect(formatDiagnostics([error(3, 1)], () => undefined)).toBe('f.yaml:3:1: error: it is wrong');
    expect(formatDiagnostics([error(3, 1)], () => 'one line')).toBe('f.yaml:3:1: error: it is wrong');
    expect(formatDiagnostics([], () => undefined)).toBe('');
  });

  it('colours when asked', () => {
    const output = formatDiagnostics([error(1, 1)], () => 'a', { color: true });
    expect(output).toContain('\u001b[31merror\u001b[0m');
  });
});
