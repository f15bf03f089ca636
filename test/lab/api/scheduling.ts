import {
  isFinished,
  isReady,
  type KubeObject,
  type Node,
  type NodeSelectorTerm,
  type Pod,
  type PodSpec,
  setCondition,
  type Taint,
  type Toleration,
} from './objects.ts';
import { quantity } from './quantity.ts';
import { matchesExpression, matchesSelector } from './selectors.ts';
import type { Store } from './store.ts';

/** Binds waiting pods to nodes; a pod that fits nowhere gets the condition that says why. */
export function syncScheduling(store: Store): void {
  for (const pod of store.list<Pod>('pods')) {
    if (pod.spec.nodeName || pod.metadata.deletionTimestamp || isFinished(pod)) continue;
    const refusals = new Map<string, number>();
    const fitting = store.list<Node>('nodes').filter((node) => {
      const refusal = refusalOf(store, node, pod);
      if (refusal) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
      return !refusal;
    });
    const loads = new Map(fitting.map((node) => [node, podsOn(store, node).length]));
    const [best] = fitting.sort((a, b) => loads.get(a)! - loads.get(b)!);
    store.update<Pod>('pods', pod.metadata.name, pod.metadata.namespace ?? '', (draft) => {
      draft.status ??= { phase: 'Pending' };
      draft.status.conditions ??= [];
      if (best) draft.spec.nodeName = best.metadata.name;
      const message = unschedulable(store.list('nodes').length, refusals);
      setCondition(
        draft.status.conditions,
        best
          ? { type: 'PodScheduled', status: 'True' }
          : { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
      );
    });
  }
}

function unschedulable(total: number, refusals: Map<string, number>): string {
  const parts = [...refusals].map(([why, count]) => `${count} ${why}`).sort();
  return `0/${total} nodes are available: ${parts.join(', ')}.`;
}

function podsOn(store: Store, node: Node): Pod[] {
  return store.list<Pod>('pods').filter((pod) => pod.spec.nodeName === node.metadata.name && !isFinished(pod));
}

function refusalOf(store: Store, node: Node, pod: Pod): string | undefined {
  if (!isReady(node)) return 'node(s) were not ready';
  const taint = untoleratedTaint(node, pod.spec.tolerations);
  if (taint?.key === 'node.kubernetes.io/unschedulable') return 'node(s) were unschedulable';
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!matchesNode(node, pod.spec)) return "node(s) didn't match Pod's node affinity/selector";
  if (!volumesAllow(store, node, pod)) return 'node(s) had volume node affinity conflict';
  if (!antiAffinityAllows(store, node, pod)) return "node(s) didn't match pod anti-affinity rules";
  return lackOf(store, node, pod);
}

/** The first taint that keeps new pods with these tolerations off the node. */
export function untoleratedTaint(node: Node, tolerations: Toleration[] = []): Taint | undefined {
  const taints = [...(node.spec.taints ?? [])];
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  if (node.spec.unschedulable && !taints.some(({ key }) => key === cordon.key)) taints.push(cordon);
  return taints.find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint)),
  );
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (key !== undefined && value === (taint.value ?? ''));
}

/** Whether the pod's nodeSelector and required node affinity accept the node. */
export function matchesNode(node: Node, { nodeSelector = {}, affinity }: PodSpec): boolean {
  const labels = node.metadata.labels ?? {};
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const selected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
  return selected && (!terms || terms.some((term) => matchesTerm(node, term)));
}

function matchesTerm(node: Node, { matchExpressions = [], matchFields = [] }: NodeSelectorTerm): boolean {
  const fields = { 'metadata.name': node.metadata.name };
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((one) => matchesExpression(one, labels)) &&
    matchFields.every((one) => matchesExpression(one, fields))
  );
}

interface LocalVolume extends KubeObject {
  spec: { nodeAffinity?: { required?: { nodeSelectorTerms: NodeSelectorTerm[] } } };
}

function volumesAllow(store: Store, node: Node, pod: Pod): boolean {
  return (pod.spec.volumes ?? []).every(({ persistentVolumeClaim: claim }) => {
    const found = claim && store.get('persistentvolumeclaims', claim.claimName, pod.metadata.namespace);
    const volumeName = (found?.spec as { volumeName?: string } | undefined)?.volumeName;
    const volume = volumeName ? store.get<LocalVolume>('persistentvolumes', volumeName) : undefined;
    const terms = volume?.spec.nodeAffinity?.required?.nodeSelectorTerms;
    return !terms || terms.some((term) => matchesTerm(node, term));
  });
}

function antiAffinityAllows(store: Store, node: Node, pod: Pod): boolean {
  const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.every(({ labelSelector, topologyKey }) => {
    const domain = node.metadata.labels?.[topologyKey];
    if (domain === undefined) return true;
    const peers = store.list<Node>('nodes').filter((other) => other.metadata.labels?.[topologyKey] === domain);
    return !peers
      .flatMap((peer) => podsOn(store, peer))
      .some((other) => sameNamespace(other, pod) && matchesSelector(labelSelector, other.metadata.labels));
  });
}

function sameNamespace(a: Pod, b: Pod): boolean {
  return a.metadata.namespace === b.metadata.namespace;
}

function lackOf(store: Store, node: Node, pod: Pod): string | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const present = podsOn(store, node);
  if (allocatable.pods !== undefined && present.length + 1 > quantity(allocatable.pods)) return 'Too many pods';
  for (const resource of ['cpu', 'memory']) {
    const limit = allocatable[resource];
    if (limit === undefined) continue;
    const used = [...present, pod].reduce((sum, one) => sum + requestOf(one, resource), 0);
    if (requestOf(pod, resource) > 0 && used > quantity(limit)) return `Insufficient ${resource}`;
  }
  return undefined;
}

function requestOf(pod: Pod, resource: string): number {
  return pod.spec.containers.reduce((sum, one) => sum + quantity(one.resources?.requests?.[resource] ?? 0), 0);
}
