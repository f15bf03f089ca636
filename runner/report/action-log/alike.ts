import { named } from '../names.ts';
import type { TaskRecord } from '../record.ts';
import { plainText } from './markdown.ts';

/** Records that are alike, in the order of the first of each kind. */
export function grouped<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()];
}

/** The hosts of some records: `a, b, c and 97 more`. */
export function hostsOf(records: readonly TaskRecord[]): string {
  return hostNames(records.map(({ host }) => host));
}

/** Names of hosts for a sentence, each once. */
export function hostNames(hosts: readonly string[]): string {
  return plainText(named([...new Set(hosts)]));
}

/** The same text for every host: its own name in it does not make a difference. */
export function withoutHost(text: string, host: string): string {
  return text.replaceAll(host, '\0');
}

/** A text that stands for all of a group: where it names the host, it says so in general. */
export function sharedText(text: string, group: readonly TaskRecord[]): string {
  const hosts = new Set(group.map(({ host }) => host));
  return hosts.size > 1 ? text.replaceAll(group[0]!.host, 'HOST') : text;
}
