import { readdirSync, type Stats, statSync } from 'node:fs';
import { InvalidError } from '../errors.ts';
import { unreadable } from './read-text.ts';

/** The names in a folder, in alphabetical order. Throws InvalidError when it cannot be read. */
export function namesIn(folder: string): string[] {
  return orInvalid(folder, () => readdirSync(folder).sort());
}

/** What a name that was found in a folder stands for. Throws InvalidError for a link that leads nowhere. */
export function statOf(path: string): Stats {
  return orInvalid(path, () => statSync(path));
}

function orInvalid<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The name is there: what is missing is what it links to.
    const reason = code === 'ENOENT' ? 'it is a link to nothing' : undefined;
    throw new InvalidError([unreadable(path, error as NodeJS.ErrnoException, undefined, reason)]);
  }
}
