import { TaskFailure } from '../../runner/module.ts';

const CLAUSE = '[ugoa]*([-+=]([rwxXst]*|[ugo]))+';

/** The argument `mode` of every file module: octal digits in quotes, or what `chmod` takes as symbols. */
export const modeArgument = {
  type: 'string',
  pattern: `^(0?[0-7]{3,4}|${CLAUSE}(,${CLAUSE})*)$`,
  description: 'Permissions: octal digits in quotes ("0644") or symbols (u+rwx,go-w). Symbols change what is there.',
} as const;

const SHIFT = { u: 6, g: 3, o: 0 } as const;

/**
 * Permission bits after applying `mode` to `current`. A clause without u, g, o or a means all three, whatever the umask.
 * @throws TaskFailure when the text is no mode.
 */
export function resolveMode(mode: string, current: number, directory = false): number {
  if (/^0?[0-7]{3,4}$/.test(mode)) return Number.parseInt(mode, 8);
  if (!new RegExp(modeArgument.pattern).test(mode)) {
    throw new TaskFailure(`"${mode}" is no file mode`, { hint: 'write octal digits in quotes ("0644") or u+rwx,go-w' });
  }
  let bits = current;
  for (const clause of mode.split(',')) {
    const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
    for (const [, operator, letters] of clause.slice(who.length).matchAll(/([-+=])([rwxXstugo]*)/g)) {
      bits = applySymbols(bits, who === '' || who.includes('a') ? 'ugo' : who, operator!, letters!, directory);
    }
  }
  return bits;
}

/** What each party owns of the twelve bits; the sticky bit goes with the others. */
const AFFECTED = { u: 0o4700, g: 0o2070, o: 0o1007 } as const;

function applySymbols(bits: number, who: string, operator: string, letters: string, directory: boolean): number {
  const affected =
    (who.includes('u') ? AFFECTED.u : 0) | (who.includes('g') ? AFFECTED.g : 0) | (who.includes('o') ? AFFECTED.o : 0);
  const named =
    (permissions(letters, bits, directory) * 0o111) |
    (letters.includes('s') ? 0o6000 : 0) |
    (letters.includes('t') ? 0o1000 : 0);
  // Set-id bits of a directory stay unless they are named: GNU chmod does so, since they are there for inheritance.
  const kept = directory ? 0o6000 & ~(affected & named) : 0;
  const value = named & affected & ~kept;
  if (operator === '+') return bits | value;
  return operator === '-' ? bits & ~value : (bits & (~affected | kept)) | value;
}

/** The three bits that a clause's letters stand for. */
function permissions(letters: string, bits: number, directory: boolean): number {
  if (letters === 'u' || letters === 'g' || letters === 'o') return (bits >> SHIFT[letters]) & 0o7;
  const execute = letters.includes('x') || (letters.includes('X') && (directory || (bits & 0o111) !== 0));
  return (letters.includes('r') ? 4 : 0) | (letters.includes('w') ? 2 : 0) | (execute ? 1 : 0);
}

/** Four octal digits: `0644`. */
export function formatMode(bits: number): string {
  return (bits & 0o7777).toString(8).padStart(4, '0');
}
