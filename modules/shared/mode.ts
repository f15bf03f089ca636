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

function applySymbols(bits: number, who: string, operator: string, letters: string, directory: boolean): number {
  let mask = 0;
  let covered = 0;
  for (const party of ['u', 'g', 'o'] as const) {
    if (!who.includes(party)) continue;
    covered |= 0o7 << SHIFT[party];
    mask |= permissions(letters, bits, directory) << SHIFT[party];
    if (letters.includes('s') && party !== 'o') mask |= party === 'u' ? 0o4000 : 0o2000;
  }
  if (letters.includes('t')) mask |= 0o1000;
  // chmod leaves set-id bits of directories alone on `=`; of files it clears them.
  if (!directory) covered |= (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0);
  if (operator === '+') return bits | mask;
  return operator === '-' ? bits & ~mask : (bits & ~covered) | mask;
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
