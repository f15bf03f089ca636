import { EXIT, ReeveError } from '../errors.ts';

export type NameMatcher = (name: string) => boolean;

/** The matcher of a glob or `~regex`; compiled once for every pattern it is part of. */
export function nameMatcher(pattern: string): NameMatcher {
  let made = matchers.get(pattern);
  if (!made) {
    if (matchers.size > 1000) matchers.clear();
    made = pattern.startsWith('~') ? regexMatcher(pattern) : globMatcher(pattern);
    matchers.set(pattern, made);
  }
  return made;
}

const matchers = new Map<string, NameMatcher>();

/** True when a term can match names other than itself. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/** Shell globs as Python's fnmatch reads them: `*`, `?`, `[seq]`, `[!seq]`; a bracket that is not closed is itself. */
function globMatcher(pattern: string): NameMatcher {
  if (!isGlob(pattern)) return (name) => name === pattern;
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '[') {
      const close = closingBracket(pattern, at);
      source += close < 0 ? '\\[' : charClass(pattern.slice(at + 1, close));
      if (close >= 0) at = close;
    } else source += char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  }
  const regex = new RegExp(`^${source}$`, 'su');
  return (name) => regex.test(name);
}

/** The first character of a class may be the closing bracket itself: `[]a]`, `[!]a]`. */
function closingBracket(pattern: string, open: number): number {
  const first = pattern[open + 1] === '!' ? open + 2 : open + 1;
  return pattern.indexOf(']', pattern[first] === ']' ? first + 1 : first);
}

function charClass(content: string): string {
  const isNegated = content.startsWith('!');
  const set = isNegated ? content.slice(1) : content;
  // A range that runs backwards matches nothing; a hyphen at either end is itself.
  const kept = set.replace(/(.)-(.)/gsu, (range, from: string, to: string) => (from > to ? '' : range));
  const escaped = kept.replace(/[\\\]^[]/g, '\\$&');
  if (escaped === '') return isNegated ? '.' : '(?!)';
  return `[${isNegated ? '^' : ''}${escaped.replace(/^-|-$/g, '\\-')}]`;
}

/** A Python expression, matched at the start of a name. */
function regexMatcher(pattern: string): NameMatcher {
  try {
    const { source, flags } = fromPython(pattern.slice(1));
    const regex = new RegExp(`^(?:${source})`, flags);
    return (name) => regex.test(name);
  } catch (error) {
    throw new ReeveError('invalid-pattern', `${pattern} is no regular expression: ${(error as Error).message}`, {
      exitCode: EXIT.invalid,
    });
  }
}

/** What Python writes differently: flags at the start, named groups, the ends of the text. */
function fromPython(text: string): { source: string; flags: string } {
  const flags = /^\(\?([aimsux]+)\)/.exec(text);
  const source = text
    .slice(flags?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\\A/g, '^')
    .replace(/\\Z/g, '$');
  return { source, flags: [...new Set((flags?.[1] ?? '').replace(/[aux]/g, ''))].join('') };
}
