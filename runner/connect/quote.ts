import { ReeveError } from '../errors.ts';

/*
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

/** A path on the target; `~` alone or before a slash is the home of the user the script runs as. */
export function quotePath(path: string): string {
  if (path === '~') return '"$HOME"';
  return path.startsWith('~/') ? `"$HOME"/${quoteWord(path.slice(2))}` : quoteWord(safePath(path));
}

/** One word, always quoted: `export A=~` would otherwise be expanded. */
export function quoteValue(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** An `export` command for some variables; empty without any. Throws ReeveError `bad-environment`. */
export function exports(env: Record<string, string> | undefined): string {
  const entries = Object.entries(env ?? {});
  for (const [name] of entries) {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ReeveError('bad-environment', `«${name}» cannot be the name of an environment variable`, {
        hint: 'Use letters, digits and underscores; the first may not be a digit.',
      });
    }
  }
  return entries.length ? `export ${entries.map(([name, value]) => `${name}=${quoteValue(value)}`).join(' ')}` : '';
}
