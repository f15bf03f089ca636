import { afterEach, describe, expect, it, vi } from 'vitest';
import { reportError, UsageError } from '../../../runner/cli/report-error.ts';
import { ReeveError } from '../../../runner/errors.ts';
import { CliFolder } from '../../support/cli.ts';

function heard(): { text(): string } {
  const said: string[] = [];
  const hear = (...parts: unknown[]) => {
    said.push(parts.map(String).join(' '));
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  vi.spyOn(console, 'error').mockImplementation(hear);
  return { text: () => said.join('\n') };
}

describe('reportError', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('shows a known error as a sentence with the lines it is about and what to do', async () => {
    using folder = new CliFolder();
    const file = folder.write('a.yaml', 'one: 1\ntwo: 2\n');
    const { text } = heard();
    const error = new ReeveError('x', 'this is wrong', {
      place: { file, line: 2, column: 1, endColumn: 4 },
      hint: 'mend it',
      exitCode: 4,
    });
    expect(await reportError(error)).toBe(4);
    expect(text()).toContain(
      `${file}:2:1: error: this is wrong\n  1 | one: 1\n  2 | two: 2\n    | ^^^\n  hint: mend it`,
    );
    expect(text()).not.toContain('at reportError');
  });

  it('shows an unknown error with its stack and asks for a report', async () => {
    const { text } = heard();
    expect(await reportError(new TypeError('x is not a function'))).toBe(1);
    expect(text()).toMatch(/TypeError: x is not a function\n +at /);
    expect(text()).toContain('This is a bug in reeve');
  });

  it('names the nearest of the words there are', () => {
    const among = ['check', 'diff'];
    expect(new UsageError('no', { word: 'chekc', among, shown: (near) => `--${near}` }).hint).toBe(
      'did you mean `--check`?',
    );
    expect(new UsageError('no', { word: 'xyzzyplugh', among, otherwise: 'look' }).hint).toBe('look');
  });
});
