import type { KubeObject } from '../../runner/module.ts';
import { condition, controllerOf, nameOf, workloadOf } from './kube-objects.ts';

/** A pod that does not do its work, and why. */
export interface BrokenPod {
  pod: string;
  /** `namespace/kind/name` of what it belongs to: stays the same when the pod is replaced. */
  workload: string;
  node: string;
  reason: string;
}

/**
 * What is wrong with a pod; undefined for a healthy one. Finished pods of a controller are fine, terminating ones are on
 * their way, and a running Job need not be ready.
 */
export function troubleOf(pod: KubeObject): string | undefined {
  const { phase, reason, message } = pod.status ?? {};
  if (pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded') return undefined;
  if (phase === 'Failed') return controllerOf(pod) ? undefined : `Failed${reason ? ` (${reason})` : ''}`;
  const container = containerTrouble(pod);
  if (container) return container;
  if (phase !== 'Running') return pendingTrouble(pod);
  if (controllerOf(pod)?.kind === 'Job') return undefined;
  const ready = condition(pod, 'Ready');
  if (ready?.status === 'True') return undefined;
  return `not Ready${message || ready?.message ? ` (${message ?? ready?.message})` : ''}`;
}

/** Reasons of waiting containers that are no trouble in themselves: the pod is being started. */
const STARTING = new Set(['ContainerCreating', 'PodInitializing']);

function containerTrouble({ status }: KubeObject): string | undefined {
  const all: KubeObject[] = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const { name, state, restartCount } of all) {
    const waiting = state?.waiting;
    if (!waiting?.reason || STARTING.has(waiting.reason)) continue;
    const restarts = waiting.reason === 'CrashLoopBackOff' ? `, ${restartCount ?? 0} restarts` : '';
    return `${waiting.reason} (container ${name}${restarts})`;
  }
  return undefined;
}

function pendingTrouble(pod: KubeObject): string {
  const { phase = 'Unknown' } = pod.status ?? {};
  const scheduled = condition(pod, 'PodScheduled');
  const why = scheduled?.status === 'False' ? (scheduled.message ?? scheduled.reason) : undefined;
  return `${phase}${why ? ` (${why})` : ''}`;
}

export function brokenAmong(pods: readonly KubeObject[]): BrokenPod[] {
  return pods.flatMap((pod) => {
    const reason = troubleOf(pod);
    return reason === undefined
      ? []
      : [{ pod: nameOf(pod), workload: workloadOf(pod), node: pod.spec?.nodeName ?? '', reason }];
  });
}

/**
 * The damage that was not there before: of each workload as many broken pods are left out as the baseline had, since
 * pods change their names when they are replaced.
 */
export function newDamage(broken: readonly BrokenPod[], baseline: readonly { workload: string }[]): BrokenPod[] {
  const known = new Map<string, number>();
  for (const { workload } of baseline) known.set(workload, (known.get(workload) ?? 0) + 1);
  return broken.filter(({ workload }) => {
    const left = known.get(workload) ?? 0;
    known.set(workload, left - 1);
    return left <= 0;
  });
}

/** milliseconds past its grace period after which a pod that is still there is stuck; clocks may differ a little. */
const STUCK_AFTER = 5 * 60_000;

/** Pods that should have been gone for long: `deletionTimestamp` is when their grace period ends. */
export function stuckAmong(pods: readonly KubeObject[]): { pod: string; node: string; since: string }[] {
  return pods.flatMap((pod) => {
    const since: string | undefined = pod.metadata.deletionTimestamp;
    const isStuck = since !== undefined && Date.now() - Date.parse(since) > STUCK_AFTER;
    return isStuck ? [{ pod: nameOf(pod), node: pod.spec?.nodeName ?? '', since }] : [];
  });
}
