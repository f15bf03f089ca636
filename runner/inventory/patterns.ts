import picomatch from 'picomatch';
import { EXIT, ReeveError } from '../errors.ts';
import { nearestName } from '../language/nearest.ts';

/** What patterns are resolved against. */
export interface PatternNames {
  /** In inventory order. */
  hosts: readonly string[];
  groups: ReadonlySet<string>;
  hostsOf(group: string): readonly string[];
}

type Term = (names: PatternNames) => ReadonlySet<string>;

/**
 * Resolves a host pattern as Ansible does: plain terms joined by `:` or `,`, then those after `&` (only hosts in these
 * too), then those after `!` (none of these), whatever order they are written in; without a plain term `all` is
 * implied. A term is a name, a glob, `~regex`, and may end in `[0]`, `[-1]`, `[1:3]`, `[1:]`.
 *
 * @returns names in inventory order.
 * @throws ReeveError `no-hosts` when a plain name is neither host nor group, or when nothing matches.
 */
export function matchPattern(pattern: string, names: PatternNames): string[] {
  const terms = splitPattern(pattern);
  const plain = terms.filter((t) => !/^[&!]/.test(t));
  const wanted = new Set<string>();
  for (const term of plain.length > 0 ? plain : ['all']) for (const host of compileTerm(term)(names)) wanted.add(host);
  for (const term of terms.filter((t) => t.startsWith('&'))) {
    const also = compileTerm(term.slice(1))(names);
    for (const host of wanted) if (!also.has(host)) wanted.delete(host);
  }
  for (const term of terms.filter((t) => t.startsWith('!'))) {
    for (const host of compileTerm(term.slice(1))(names)) wanted.delete(host);
  }
  return names.hosts.filter((name) => wanted.has(name));
}

/** Terms of a pattern; colons inside brackets (subscripts, IPv6 addresses) do not divide. */
export function splitPattern(pattern: string): string[] {
  if (pattern.includes(',')) return pattern.split(',').flatMap((part) => splitPattern(part));
  if (isIpv6(pattern.trim())) return [pattern.trim()];
  if (pattern.trim().startsWith('~')) return [pattern.trim()];
  return pattern
    .split(/:(?![^[]*\])/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text);
}

const compiled = new Map<string, Term>();

function compileTerm(term: string): Term {
  let made = compiled.get(term);
  if (!made) {
    if (compiled.size > 1000) compiled.clear();
    made = makeTerm(term);
    compiled.set(term, made);
  }
  return made;
}

function makeTerm(term: string): Term {
  if (term.startsWith('~')) return bySelection(regexOf(term), '');
  const match = /^(.+)\[(-?\d+)?(:?)(-?\d+)?\]$/.exec(term);
  if (match && (match[2] !== undefined || match[3] === ':')) {
    const [, base, from, colon, to] = match as unknown as [
      string,
      string,
      string | undefined,
      string,
      string | undefined,
    ];
    const inner = compileTerm(base);
    return (names) => new Set(slice(ordered(inner(names), names), from, colon === ':', to));
  }
  if (/[*?[]/.test(term))
    return bySelection(picomatch(term, { dot: true, nonegate: true, noextglob: true, nobrace: true }), term);
  return (names) => byName(term, names);
}

function regexOf(term: string): (name: string) => boolean {
  try {
    // Ansible matches at the start of the name.
    const regex = new RegExp(`^(?:${term.slice(1)})`);
    return (name) => regex.test(name);
  } catch (error) {
    throw new ReeveError('invalid-pattern', `${term} is no regular expression: ${(error as Error).message}`, {
      exitCode: EXIT.invalid,
    });
  }
}

function bySelection(matches: (name: string) => boolean, term: string): Term {
  return (names) => {
    if (term === '*') return new Set(names.hosts);
    const found = new Set(names.hosts.filter(matches));
    for (const group of names.groups) if (matches(group)) for (const host of names.hostsOf(group)) found.add(host);
    return found;
  };
}

function byName(name: string, names: PatternNames): ReadonlySet<string> {
  if (names.groups.has(name)) return new Set(names.hostsOf(name));
  if (names.hosts.includes(name)) return new Set([name]);
  const near = nearestName(name, [...names.groups, ...names.hosts]);
  throw new ReeveError('no-hosts', `${name} is no host and no group of the inventory`, {
    hint: near ? `did you mean ${near}?` : '`reeve inventory --graph` shows what there is',
    exitCode: EXIT.invalid,
  });
}

function ordered(found: ReadonlySet<string>, names: PatternNames): string[] {
  return names.hosts.filter((name) => found.has(name));
}

/** `[n]` is one host; `[a:b]` holds both ends, as in Ansible. */
function slice(hosts: string[], from: string | undefined, isRange: boolean, to: string | undefined): string[] {
  const index = (text: string) => (Number(text) < 0 ? hosts.length + Number(text) : Number(text));
  if (!isRange) return hosts.slice(index(from!), index(from!) + 1);
  return hosts.slice(from === undefined ? 0 : index(from), to === undefined ? undefined : index(to) + 1);
}
