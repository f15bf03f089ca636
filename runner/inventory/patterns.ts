import { EXIT, ReeveError } from '../errors.ts';
import { nearestName } from '../language/nearest.ts';
import { parseAddress } from './address.ts';
import { isGlob, nameMatcher } from './name-matchers.ts';

/** What patterns are resolved against. */
export interface PatternNames {
  /** In the order they were first named. */
  hosts: ReadonlySet<string>;
  groups: ReadonlySet<string>;
  hostsOf(group: string): readonly string[];
}

/**
 * Resolves a host pattern as Ansible does: plain terms joined by `:` or `,`, then those after `&` (only hosts in these
 * too), then those after `!` (none of these), whatever order they are written in; without a plain term `all` is
 * implied. A term is a name, a glob, `~regex`, and may end in `[0]`, `[-1]`, `[1:3]`, `[1:]`.
 *
 * @param pattern as written, or a list of terms that are not divided any more.
 * @returns names in the order in which the terms name them, each once.
 * @throws ReeveError `no-hosts` when a plain name is neither host nor group, or a subscript is past the end.
 */
export function matchPattern(pattern: string | readonly string[], names: PatternNames): string[] {
  const terms = typeof pattern === 'string' ? splitPattern(pattern) : pattern.filter((term) => term !== '');
  const plain = terms.filter((t) => !/^[&!]/.test(t));
  let found: string[] = [];
  for (const term of plain.length > 0 ? plain : ['all']) found = found.concat(termHosts(term, names));
  for (const term of terms.filter((t) => t.startsWith('&'))) {
    const also = new Set(termHosts(term.slice(1), names));
    found = found.filter((host) => also.has(host));
  }
  for (const term of terms.filter((t) => t.startsWith('!'))) {
    const without = new Set(termHosts(term.slice(1), names));
    found = found.filter((host) => !without.has(host));
  }
  return [...new Set(found)];
}

/**
 * Terms of a pattern. With a comma in it only commas divide; without one colons and spaces do, unless the whole is an
 * address or a range; colons inside brackets never do.
 */
export function splitPattern(pattern: string): string[] {
  const terms = pattern.includes(',')
    ? pattern.split(',')
    : parseAddress(pattern)
      ? [pattern]
      : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return terms.map((term) => term.trim()).filter((term) => term !== '');
}

const SUBSCRIPTED = /^(.+)\[(?:(-?\d+)|(\d+)([:-])(\d*))\]$/s;

/** Hosts of one term without its modifier; hosts that are in several groups it names stand there several times. */
function termHosts(term: string, names: PatternNames): readonly string[] {
  if (names.hosts.has(term)) return [term];
  const match = term.startsWith('~') ? undefined : SUBSCRIPTED.exec(term);
  if (!match) return enumerate(term, term, names);
  const [, base, index, from, , to] = match as unknown as (string | undefined)[];
  const hosts = enumerate(base!, term, names);
  if (hosts.length === 0) return hosts;
  const last = to === undefined || to === '' ? hosts.length - 1 : Number(to);
  // In Ansible [n:0] is the same as [n].
  if (index === undefined && last !== 0) return hosts.slice(Number(from), last + 1);
  const one = hosts.at(Number(index ?? from));
  if (one === undefined) throw noHosts(`${term}: ${base} has only ${hosts.length} hosts`);
  return [one];
}

function enumerate(term: string, written: string, names: PatternNames): readonly string[] {
  const isWide = term.startsWith('~') || isGlob(term);
  if (!isWide) {
    // A name with a dot may be both; everything else is a group when there is one.
    const members = names.groups.has(term) ? names.hostsOf(term) : undefined;
    const host = names.hosts.has(term) && (!members || term.includes('.')) ? [term] : [];
    if (!members && host.length === 0) throw unknownName(term, written, names);
    return members ? [...members, ...host] : host;
  }
  const matches = nameMatcher(term);
  const found: string[] = [];
  for (const group of names.groups) if (matches(group)) for (const host of names.hostsOf(group)) found.push(host);
  for (const host of names.hosts) if (matches(host)) found.push(host);
  return found;
}

function unknownName(name: string, written: string, names: PatternNames): ReeveError {
  if (name === '') return noHosts('a term of the pattern is only `&` or `!`', 'a name belongs behind it: `!web1`');
  if (name.includes(':') && !name.includes('::')) {
    return noHosts(
      `${written} is no host and no group of the inventory`,
      'beside a comma, colons do not divide: use commas only',
    );
  }
  const near = nearestName(name, [...names.groups, ...names.hosts]);
  const hint = near ? `did you mean ${near}?` : '`reeve inventory --graph` shows what there is';
  return noHosts(`${name} is no host and no group of the inventory`, hint);
}

function noHosts(message: string, hint?: string): ReeveError {
  return new ReeveError('no-hosts', message, { hint, exitCode: EXIT.invalid });
}
