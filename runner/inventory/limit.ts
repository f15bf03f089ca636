import { readText } from '../load/read-text.ts';
import { splitPattern } from './patterns.ts';

/**
 * The terms of `--limit`: divided as every pattern is, and `@file` stands for the lines of a file, each a term.
 * @throws InvalidError when the file cannot be read.
 */
export function limitTerms(limits: readonly string[]): string[] {
  return limits
    .flatMap((limit) => splitPattern(limit))
    .flatMap((term) => (term.startsWith('@') ? linesOf(term.slice(1)) : [term]));
}

function linesOf(file: string): string[] {
  return readText(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
