import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../../lab/api/objects.ts';
import { treeOf } from '../../lab/fingerprint.ts';
import type { Lab } from '../../lab/lab.ts';

/** Every file of every host (`HOST:path`) and every object of the API (`nodes /server-1`), as far as they may be compared. */
export type WholeState = Map<string, string>;

/** All there is, once the controllers have come to rest. */
export async function wholeState(lab: Lab): Promise<WholeState> {
  await lab.settled();
  let objects = objectsOf(lab);
  for (let before = ''; before !== JSON.stringify([...objects]); objects = objectsOf(lab)) {
    before = JSON.stringify([...objects]);
    await pause(500);
  }
  const files = lab.hosts.hosts.flatMap(({ name, root }) =>
    [...treeOf(root)].map(([path, what]): [string, string] => [`${name}:${path}`, what]),
  );
  return new Map([...files, ...objects]);
}

function objectsOf({ api }: Lab): Map<string, string> {
  const { registry } = api.state;
  const all = registry.all.flatMap((resource) =>
    api.state.list<KubeObject>(resource).map((object): [string, string] => {
      const { namespace = '', name } = object.metadata;
      return [`${resource.plural} ${namespace}/${name}`, JSON.stringify(sorted(comparable(object)))];
    }),
  );
  return new Map(all);
}

/** An object without what differs by nature, each for a reason. */
function comparable(given: KubeObject): unknown {
  const object = structuredClone(given) as KubeObject & { spec?: Record<string, unknown>; status?: Status };
  const metadata = object.metadata as unknown as Record<string, unknown>;
  // Counts every write, a heartbeat too.
  delete metadata.resourceVersion;
  // Who wrote last, and when.
  delete metadata.managedFields;
  // A node's heartbeat is when it was sent.
  if (object.kind === 'Lease') delete object.spec?.renewTime;
  // When a condition was looked at, and when it last changed: a node that restarted was away for a moment.
  for (const condition of object.status?.conditions ?? []) {
    delete condition.lastHeartbeatTime;
    delete condition.lastTransitionTime;
  }
  return object;
}

interface Status {
  conditions?: Record<string, unknown>[];
}

/** The same members in the order of their names: a condition that went and came stands elsewhere in its list. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** What differs: `- NAME` is gone, `+ NAME` is new, `~ NAME: before → after` has changed. */
export function differences(before: WholeState, after: WholeState): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === is) return [];
    if (is === undefined) return [`- ${name}`];
    return was === undefined ? [`+ ${name}`] : [`~ ${name}: ${was} → ${is}`];
  });
}
