import { relative } from 'node:path';
import type { Lab } from '../../lab/lab.ts';

/**
 * Says of a difference whether `reeve rollback --check` announced it: everything it lets pass is made from what was
 * printed. Pods that left have successors: they are told by the pods' names.
 */
export function announcedBy(check: string, lab: Lab): (difference: string) => boolean {
  const patterns = check.split('\n').flatMap((line) => patternsOf(line, lab));
  return (difference) => patterns.some((pattern) => pattern.test(difference));
}

const HASHED = /-[a-z0-9]+$/;

function patternsOf(line: string, lab: Lab): RegExp[] {
  const folder = /stays {3}(\S+): copies of .* in (\S+)$/.exec(line);
  if (folder) {
    const path = relative(lab.hosts.get(folder[1]!).root, folder[2]!);
    return [new RegExp(`^\\+ ${folder[1]}:${path}/`)];
  }
  const object = /stays {3}\S+: the entry in ConfigMap (\S+), which then says that it was rolled back$/.exec(line);
  // Nothing but that: an entry that does not say so is not what was announced.
  if (object) return [new RegExp(`^\\+ configmaps ${object[1]}$`)];
  const snapshot = /CANNOT {2}(\S+): .*etcd snapshot (\S+)… \(a snapshot stays/.exec(line);
  if (snapshot) {
    return [
      new RegExp(`^\\+ ${snapshot[1]}:\\S+/db/snapshots(/${snapshot[2]}\\d+)?$`),
      new RegExp(`^\\+ etcdsnapshotfiles /local-${snapshot[2]}`),
    ];
  }
  const evicted = [...line.matchAll(/evict (\S+\/\S+?)(?=,|$| \()/g)].map(([, pod]) => pod!);
  return evicted.flatMap((pod) => {
    const set = pod.replace(HASHED, '');
    return [new RegExp(`^- pods ${pod}$`), new RegExp(`^\\+ pods ${set}-[a-z0-9]+$`)];
  });
}
