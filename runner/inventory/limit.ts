import { EXIT, type Place, ReeveError } from '../errors.ts';
import { readText } from '../load/read-text.ts';
import { splitPattern } from './patterns.ts';

/**
 * The terms of `--limit`: divided as every pattern is, and `@file` stands for the lines of a file, each a term.
 * @throws InvalidError when the file cannot be read; ReeveError `no-hosts` for a limit or a file without a term, since
 * no term at all would mean every host.
 */
export function limitTerms(limits: readonly string[]): string[] {
  return limits.flatMap((limit) => {
    const terms = splitPattern(limit);
    if (terms.length === 0) throw noTerms(`--limit "${limit}" names no host`);
    return terms.flatMap((term) => (term.startsWith('@') ? linesOf(term.slice(1)) : [term]));
  });
}

function linesOf(file: string): string[] {
  if (file === '') throw noTerms('--limit @ names no file');
  const lines = readText(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw noTerms(`--limit @${file}: this file names no host`, { file, line: 1, column: 1 });
  return lines;
}

function noTerms(message: string, place?: Place): ReeveError {
  const hint = 'leave --limit out to run on every host of the play';
  return new ReeveError('no-hosts', message, { ...(place ? { place } : {}), hint, exitCode: EXIT.invalid });
}
