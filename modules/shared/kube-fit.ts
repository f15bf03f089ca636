import type { KubeObject } from '../../runner/module.ts';
import { condition, isFinished, meets, nameOf } from './kube-objects.ts';
import { quantity } from './kube-quantity.ts';

/** A pod that probably has no place elsewhere. */
export interface Misfit {
  pod: string;
  why: string;
}

interface Room {
  node: KubeObject;
  cpu: number;
  memory: number;
  pods: number;
}

/**
 * Estimates which of `moving` would stay Pending if `leaving` were drained: requests against what is left on the other
 * nodes, with node selectors, required node affinity and taints; the largest pod first. Pod affinity, topology spread,
 * volumes, extended resources and preemption are not looked at.
 */
export function misfits(nodes: KubeObject[], pods: KubeObject[], moving: KubeObject[], leaving: string): Misfit[] {
  const rooms = nodes
    .filter((node) => node.metadata.name !== leaving && takesPods(node))
    .map((node) => roomOf(node, pods));
  const bySize = [...moving].sort((a, b) => requestsOf(b).memory - requestsOf(a).memory);
  const found: Misfit[] = [];
  for (const pod of bySize) {
    const wanted = requestsOf(pod);
    const allowed = rooms.filter((room) => mayRun(pod, room.node));
    const room = allowed.find((one) => one.cpu >= wanted.cpu && one.memory >= wanted.memory && one.pods >= 1);
    if (room) {
      room.cpu -= wanted.cpu;
      room.memory -= wanted.memory;
      room.pods -= 1;
    } else {
      const why =
        allowed.length === 0
          ? 'no other schedulable node satisfies its selectors and tolerations'
          : 'its requests fit on no other node that may run it';
      found.push({ pod: nameOf(pod), why });
    }
  }
  return found;
}

function takesPods(node: KubeObject): boolean {
  return node.spec?.unschedulable !== true && condition(node, 'Ready')?.status === 'True';
}

function roomOf(node: KubeObject, pods: KubeObject[]): Room {
  const { cpu, memory, pods: slots } = node.status?.allocatable ?? {};
  const room: Room = { node, cpu: quantity(cpu), memory: quantity(memory), pods: quantity(slots ?? 110) };
  for (const pod of pods) {
    if (pod.spec?.nodeName !== node.metadata.name || isFinished(pod)) continue;
    const used = requestsOf(pod);
    room.cpu -= used.cpu;
    room.memory -= used.memory;
    room.pods -= 1;
  }
  return room;
}

/** Requests of a pod: its containers together, or its largest init container if that is more. */
function requestsOf(pod: KubeObject): { cpu: number; memory: number } {
  const of = (container: KubeObject, name: string) => quantity(container.resources?.requests?.[name]);
  const total = (name: string) => {
    const running = (pod.spec?.containers ?? []).reduce((sum: number, item: KubeObject) => sum + of(item, name), 0);
    const initial = (pod.spec?.initContainers ?? []).map((item: KubeObject) => of(item, name));
    return Math.max(running, ...initial) + quantity(pod.spec?.overhead?.[name]);
  };
  return { cpu: total('cpu'), memory: total('memory') };
}

function mayRun(pod: KubeObject, node: KubeObject): boolean {
  const labels: Record<string, string> = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required && !matchesTerms(required.nodeSelectorTerms, node)) return false;
  return (node.spec?.taints ?? []).every(
    (taint: KubeObject) => taint.effect === 'PreferNoSchedule' || tolerates(pod.spec?.tolerations ?? [], taint),
  );
}

/** Node selector terms: one must match, in it every requirement. */
export function matchesTerms(terms: KubeObject[] | undefined, node: KubeObject): boolean {
  const labels: Record<string, string> = node.metadata.labels ?? {};
  const fields = { 'metadata.name': node.metadata.name };
  return (terms ?? []).some(
    (term) =>
      (term.matchExpressions ?? []).every((item: KubeObject) => meets(item, labels)) &&
      (term.matchFields ?? []).every((item: KubeObject) => meets(item, fields)),
  );
}

function tolerates(tolerations: KubeObject[], taint: KubeObject): boolean {
  return tolerations.some(
    ({ key, operator = 'Equal', value, effect }) =>
      (!effect || effect === taint.effect) &&
      (!key ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  );
}
