/**
 * Quoting for a POSIX shell. The result is also read the same by csh, fish and zsh, which may be the login shell of the
 * other side, as long as the text has no newline and no `!`.
 */

/** One word, quoted when it has to be. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** An argument vector as text that a shell splits into the same vector. */
export function quote(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

/**
 * A path that no program takes for an option: relative names get a leading `./`.
 */
export function safePath(path: string): string {
  return path.startsWith('/') ? path : `./${path}`;
}
