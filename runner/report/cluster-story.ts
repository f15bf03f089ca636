import { isFailure, type RunRecord, type TaskRecord } from './record.ts';

/** What `cluster-report` took down; members that an older reeve did not record are undefined. */
export interface ClusterState {
  at: string;
  server_version: string;
  nodes: NodeState[];
  pods: PodState[];
}

export interface NodeState {
  name: string;
  ready: boolean;
  cordoned: boolean;
  version: string;
  server: boolean;
  address?: string;
  cpu?: number;
  memory?: number;
  cpu_requested?: number;
  memory_requested?: number;
  cpu_used?: number;
  memory_used?: number;
}

export interface PodState {
  pod: string;
  workload: string;
  node: string;
  state: string;
  restarts: number;
}

/** A time that something was away, as the task that caused or watched it measured it. */
export interface Outage {
  host: string;
  what: string;
  seconds: number;
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

/** All states of the cluster that the run took down, in order. */
export function clusterStates({ tasks }: RunRecord): ClusterState[] {
  return tasks.flatMap(({ task, ended, endedAt = '' }) => {
    const result = ended?.result;
    if (task.module !== 'cluster-report' || !Array.isArray(result?.nodes) || !Array.isArray(result.pods)) return [];
    return [{ ...(result as unknown as ClusterState), at: endedAt }];
  });
}

/** Time of the first write of the run; undefined when there was none. */
export function firstEffect({ tasks }: RunRecord): string | undefined {
  return tasks
    .flatMap(({ effects }) => effects.map(({ at }) => at))
    .sort()
    .at(0);
}

/** What was away and for how long: members such as `downtime_seconds` of results say so. */
export function outages({ tasks }: RunRecord): Outage[] {
  return tasks.flatMap(({ host, ended }) => {
    const {
      downtime_seconds: down,
      recovery_seconds: away,
      unit,
      rebooted,
      elapsed_seconds: boot,
    } = ended?.result ?? {};
    if (rebooted === true && typeof boot === 'number') return [{ host, what: 'host (restarted)', seconds: boot }];
    if (typeof down === 'number' && down > 0) return [{ host, what: `unit ${String(unit ?? 'k3s')}`, seconds: down }];
    return typeof away === 'number' && away > 0 ? [{ host, what: 'API server', seconds: away }] : [];
  });
}

/** Workloads whose pods were evicted, moved or restarted, by name. */
export function affectedWorkloads(record: RunRecord): Affected[] {
  const states = clusterStates(record);
  const [before, after] = [states[0], states.length > 1 ? states.at(-1) : undefined];
  const known = new Map(states.flatMap(({ pods }) => pods).map(({ pod, workload }) => [pod, workload]));
  const evicted = record.tasks
    .flatMap((task) => evictedBy(task))
    .map((pod) => known.get(pod) ?? workloadByName(pod, new Set(known.values())));
  const names = new Set(evicted);
  const summary = (state: ClusterState | undefined, workload: string) => podsOf(state, workload);
  if (before && after) {
    for (const { workload } of [...before.pods, ...after.pods]) {
      const [was, is] = [summary(before, workload), summary(after, workload)];
      if (was.nodes.join() !== is.nodes.join() || is.restarts > was.restarts) names.add(workload);
    }
  }
  return [...names].sort().map((workload) => {
    const [was, is] = [summary(before, workload), summary(after, workload)];
    return {
      workload,
      evicted: evicted.filter((one) => one === workload).length,
      before: was.nodes,
      after: is.nodes,
      restarts: before && after ? Math.max(0, is.restarts - was.restarts) : 0,
    };
  });
}

/** A drain that only planned names pods too: none of them has left. */
function evictedBy({ ended, effects }: TaskRecord): string[] {
  const evicted = effects.length > 0 ? ended?.result?.evicted : undefined;
  return Array.isArray(evicted) ? evicted.map(String) : [];
}

/** A pod that no state shows came and went between the two: its name without the random endings tells whose it was. */
function workloadByName(pod: string, workloads: ReadonlySet<string>): string {
  const base = pod.replace(/(-[a-z0-9]{6,10})?-[a-z0-9]{5}$/, '');
  const [namespace, name] = base.split('/');
  const owner = [...workloads].find((one) => one.startsWith(`${namespace}/`) && one.endsWith(`/${name}`));
  return owner ?? base;
}

function podsOf(state: ClusterState | undefined, workload: string): { nodes: string[]; restarts: number } {
  const pods = state?.pods.filter((pod) => pod.workload === workload) ?? [];
  return { nodes: pods.map(({ node }) => node).sort(), restarts: pods.reduce((sum, pod) => sum + pod.restarts, 0) };
}

/** Modules that change nothing and check nothing either. */
const NO_CHECKS = new Set([
  'cluster-report',
  'debug',
  'pause',
  'set-vars',
  'flush-handlers',
  'gather-facts',
  'k8s-info',
  'stat',
]);

/** Tasks that only look and say whether something holds: they are the run's checklist. */
export function isCheck({ task, ended }: TaskRecord): boolean {
  return !NO_CHECKS.has(task.module) && (task.kind === 'check' || ended?.args?.reads === true);
}

/** Whether a check was passed; undefined for one that was not made. */
export function passed(record: TaskRecord): boolean | undefined {
  if (record.status === 'ok' || record.status === 'changed') return true;
  return isFailure(record) || record.ended?.ignored === true ? false : undefined;
}
