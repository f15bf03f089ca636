/** Regular expressions as people bring them from Ansible, run by JavaScript. */

/** The ends of the whole text, which JavaScript would take for the letters A and Z. */
const ENDS: Record<string, string> = { '\\A': '(?<![\\s\\S])', '\\Z': '(?![\\s\\S])' };

/** Letters of `(?i)` at the start of a pattern, the spellings of named groups and `\A` and `\Z` differ from Python's. */
export function compilePattern(source: string, flags = ''): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const body = source
    .slice(inline?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\\./gs, (pair) => ENDS[pair] ?? pair);
  const all = [...new Set(flags + (inline?.[1] ?? ''))].join('');
  try {
    return new RegExp(body, `${all}u`);
  } catch {
    // Needless backslashes (`\-`) are errors in Unicode mode only.
    return new RegExp(body, all);
  }
}

/** What is wrong with the patterns among the arguments, or undefined. */
export function patternProblem(args: Record<string, unknown>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const source = args[name];
    if (typeof source !== 'string') continue;
    try {
      compilePattern(source);
    } catch (error) {
      return `${name}: ${(error as Error).message}`;
    }
  }
  return undefined;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

/** Fills `\1`, `\g<1>` and `\g<name>` of a replacement from a match; a group that took no part is empty. */
export function expandGroups(replacement: string, match: RegExpExecArray | RegExpMatchArray): string {
  return replacement.replace(/\\(?:g<(\w+)>|(\d{1,2})|([nrt\\]))/g, (_, named, numbered, letter) => {
    if (letter !== undefined) return ESCAPES[letter]!;
    const group: string = named ?? numbered;
    return (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
  });
}

/** Replaces every match in the text. */
export function replaceAllMatches(text: string, pattern: RegExp, replacement: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(end, match.index), expandGroups(replacement, match));
    end = match.index + match[0].length;
  }
  return parts.join('') + text.slice(end);
}
