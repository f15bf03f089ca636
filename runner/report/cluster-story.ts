import { isFailure, type RunRecord, type TaskRecord } from './record.ts';

/** What `cluster-report` took down; members that an older reeve did not record are undefined. */
export interface ClusterState {
  at: string;
  server_version: string;
  nodes: NodeState[];
  pods: PodState[];
  claims?: ClaimState[];
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

export interface ClaimState {
  claim: string;
  /** The volume that it is bound to; empty when it is not. */
  volume: string;
  state: string;
}

/** A time that something was away, as the task that caused or watched it measured it. */
export interface Outage {
  host: string;
  what: string;
  seconds: number;
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

/** Hosts and units that were away and for how long: members such as `downtime_seconds` of results say so. */
export function outages({ tasks }: RunRecord): Outage[] {
  return tasks.flatMap(({ host, ended }) => {
    const { downtime_seconds: down, unit, rebooted, elapsed_seconds: boot } = ended?.result ?? {};
    if (rebooted === true && typeof boot === 'number') return [{ host, what: 'host (restarted)', seconds: boot }];
    return typeof down === 'number' && down > 0 ? [{ host, what: `unit ${String(unit ?? 'k3s')}`, seconds: down }] : [];
  });
}

/** How long each server's API took to be ready again, as `wait-server` measured it on the server itself. */
export function recoveries({ tasks }: RunRecord): Outage[] {
  return tasks.flatMap(({ host, ended }) => {
    const away = ended?.result?.recovery_seconds;
    return typeof away === 'number' && away > 0 ? [{ host, what: 'API server', seconds: away }] : [];
  });
}

/** `server-1 unit k3s 0.7 s` */
export function shownOutage({ host, what, seconds }: Outage): string {
  return `${host} ${what} ${Math.round(seconds * 10) / 10} s`;
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
