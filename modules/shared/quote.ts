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

/** Like quotePath, for a path as a target has it: a name may be bytes that are no text, and a script is text. */
export function quoteBytes(path: Buffer): string {
  const text = path.toString();
  if (Buffer.from(text).equals(path)) return quotePath(text);
  const octal = [...path].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  // Of such a name that ends in a newline that one is lost: it is then reported as not there.
  return `"$(printf '${octal}')"`;
}
