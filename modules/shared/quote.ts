import { ReeveError } from '../../runner/module.ts';

/** Quotes text as one word of a POSIX shell. Throws ReeveError `nul-byte`: no shell can carry one. */
export function quote(text: string): string {
  if (text.includes('\0')) {
    throw new ReeveError('nul-byte', 'a NUL byte cannot be part of a shell word', {
      hint: 'send such content as a file or as standard input',
    });
  }
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Quotes every word and joins them: an argv array as shell text. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/**
 * Quotes a path so that no program takes it for an option (`-x` becomes `./-x`); a leading `~/` stands for the
 * home directory of the user the script runs as.
 */
export function quotePath(path: string): string {
  if (path === '~') return '"$HOME"';
  if (path.startsWith('~/')) return `"$HOME"/${quote(path.slice(2))}`;
  return quote(path.startsWith('-') ? `./${path}` : path);
}

/** Like quotePath, with `*`, `?` and `[…]` left to the shell's file name expansion. */
export function quoteGlob(path: string): string {
  const home = path.startsWith('~/');
  const words = (home ? path.slice(2) : path.startsWith('-') ? `./${path}` : path)
    .split(/(\*|\?|\[[^\]/'"\\\s]+\])/)
    .map((part, index) => (index % 2 === 1 ? part : part === '' ? '' : quote(part)));
  return `${home ? '"$HOME"/' : ''}${words.join('')}`;
}
