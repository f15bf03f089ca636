import { type ClusterState, clusterStates, type PodState } from './cluster-story.ts';
import type { RunRecord, TaskRecord } from './record.ts';

/** One pod that the run disturbed, and how. */
export interface PodChange {
  pod: string;
  workload: string;
  /** `evicted`; `gone` (nobody of this run evicted it); `new`; `moved` (under the same name); `restarted`. */
  what: 'evicted' | 'gone' | 'new' | 'moved' | 'restarted';
  /** Node before and after; empty where it was not. */
  before: string;
  after: string;
  /** More restarts than before. */
  restarts: number;
}

/** A workload that the run disturbed, and how. */
export interface Affected {
  workload: string;
  evicted: number;
  /** Nodes that its pods ran on, before and after; empty where nobody looked. */
  before: string[];
  after: string[];
  restarts: number;
}

/** Pods that were evicted, moved or restarted, by comparing the states before and after; by workload and name. */
export function podChanges(record: RunRecord): PodChange[] {
  const states = clusterStates(record);
  const [before, after] = [states[0], states.length > 1 ? states.at(-1) : undefined];
  const known = new Map(states.flatMap(({ pods }) => pods).map((one) => [one.pod, one]));
  const workloads = new Set([...known.values()].map(({ workload }) => workload));
  const evicted = new Map(record.tasks.flatMap(evictedBy));
  const found = [...evicted].map(([pod, node]): PodChange => {
    const workload = known.get(pod)?.workload ?? workloadByName(pod, workloads);
    return { pod, workload, what: 'evicted', before: node, after: '', restarts: 0 };
  });
  if (before && after) found.push(...compared(before, after).filter(({ pod }) => !evicted.has(pod)));
  // A pod that was evicted and came back under its name (of a StatefulSet, say) runs somewhere.
  for (const change of found) {
    if (change.what === 'evicted') change.after = after?.pods.find(({ pod }) => pod === change.pod)?.node ?? '';
  }
  return found.sort((a, b) => order(a.workload, b.workload) || order(a.pod, b.pod));
}

function compared(before: ClusterState, after: ClusterState): PodChange[] {
  const was = new Map(before.pods.map((one) => [one.pod, one]));
  const is = new Map(after.pods.map((one) => [one.pod, one]));
  const change = (what: PodChange['what'], one: PodState | undefined, now: PodState | undefined): PodChange => {
    const { pod, workload } = (one ?? now)!;
    const restarts = one && now ? Math.max(0, now.restarts - one.restarts) : 0;
    return { pod, workload, what, before: one?.node ?? '', after: now?.node ?? '', restarts };
  };
  const gone = before.pods.filter(({ pod }) => !is.has(pod)).map((one) => change('gone', one, undefined));
  const rest = after.pods.flatMap((now) => {
    const one = was.get(now.pod);
    if (!one) return [change('new', undefined, now)];
    if (one.node !== now.node) return [change('moved', one, now)];
    return now.restarts > one.restarts ? [change('restarted', one, now)] : [];
  });
  return [...gone, ...rest];
}

/** Workloads whose pods were evicted, moved or restarted, by name. */
export function affectedWorkloads(record: RunRecord): Affected[] {
  const states = clusterStates(record);
  const [before, after] = [states[0], states.length > 1 ? states.at(-1) : undefined];
  const changes = Map.groupBy(podChanges(record), ({ workload }) => workload);
  return [...changes].map(([workload, pods]) => ({
    workload,
    evicted: pods.filter(({ what }) => what === 'evicted').length,
    before: nodesOf(before, workload),
    after: nodesOf(after, workload),
    restarts: pods.reduce((sum, { restarts }) => sum + restarts, 0),
  }));
}

function nodesOf(state: ClusterState | undefined, workload: string): string[] {
  const pods = state?.pods.filter((pod) => pod.workload === workload) ?? [];
  return pods.map(({ node }) => node).sort();
}

/** A drain that only planned names pods too: none of them has left. */
function evictedBy({ ended, effects, host }: TaskRecord): [pod: string, node: string][] {
  const { evicted, node } = ended?.result ?? {};
  if (effects.length === 0 || !Array.isArray(evicted)) return [];
  return evicted.map((pod) => [String(pod), typeof node === 'string' ? node : host]);
}

/** A pod that no state shows came and went between the two: its name without the random endings tells whose it was. */
function workloadByName(pod: string, workloads: ReadonlySet<string>): string {
  const base = pod.replace(/(-[a-z0-9]{6,10})?-[a-z0-9]{5}$/, '');
  const [namespace, name] = base.split('/');
  const owner = [...workloads].find((one) => one.startsWith(`${namespace}/`) && one.endsWith(`/${name}`));
  return owner ?? base;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
