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

/** The pods that use something of each node, by its name. */
type Occupancy = Map<string, Pod[]>;

/** Binds waiting pods to nodes; a pod that fits nowhere gets the condition that says why. */
export function syncScheduling(store: Store): void {
  const pods = store.list<Pod>('pods');
  const waiting = pods.filter((pod) => !pod.spec.nodeName && !pod.metadata.deletionTimestamp && !isFinished(pod));
  if (waiting.length === 0) return;
  const occupancy: Occupancy = Map.groupBy(
    pods.filter((pod) => pod.spec.nodeName && !isFinished(pod)),
    (pod) => pod.spec.nodeName ?? '',
  );
  for (const pod of waiting) schedule(store, pod, occupancy);
}

function schedule(store: Store, pod: Pod, occupancy: Occupancy): void {
  const refusals = new Map<string, number>();
  const nodes = store.list<Node>('nodes');
  const fitting = nodes.filter((node) => {
    const refusal = refusalOf(store, node, pod, occupancy);
    if (refusal) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
    return !refusal;
  });
  const load = (node: Node) => podsOn(occupancy, node).length;
  const [best] = fitting.sort((a, b) => load(a) - load(b));
  const bound = store.update<Pod>('pods', pod.metadata.name, pod.metadata.namespace ?? '', (draft) => {
    draft.status ??= { phase: 'Pending' };
    draft.status.conditions ??= [];
    if (best) draft.spec.nodeName = best.metadata.name;
    const message = unschedulable(nodes.length, refusals);
    setCondition(
      draft.status.conditions,
      best
        ? { type: 'PodScheduled', status: 'True' }
        : { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
    );
  });
  if (best && bound) occupancy.set(best.metadata.name, [...podsOn(occupancy, best), bound]);
}

function unschedulable(total: number, refusals: Map<string, number>): string {
  const parts = [...refusals].map(([why, count]) => `${count} ${why}`).sort();
  return `0/${total} nodes are available: ${parts.join(', ')}.`;
}

function podsOn(occupancy: Occupancy, node: Node): Pod[] {
  return occupancy.get(node.metadata.name) ?? [];
}

function refusalOf(store: Store, node: Node, pod: Pod, occupancy: Occupancy): string | undefined {
  if (!isReady(node)) return 'node(s) were not ready';
  const taint = untoleratedTaint(node, pod.spec.tolerations);
  if (taint?.key === 'node.kubernetes.io/unschedulable') return 'node(s) were unschedulable';
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!matchesNode(node, pod.spec)) return "node(s) didn't match Pod's node affinity/selector";
  if (!volumesAllow(store, node, pod)) return 'node(s) had volume node affinity conflict';
  if (!antiAffinityAllows(store, node, pod, occupancy)) return "node(s) didn't match pod anti-affinity rules";
  return lackOf(node, pod, podsOn(occupancy, node));
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

function antiAffinityAllows(store: Store, node: Node, pod: Pod, occupancy: Occupancy): boolean {
  const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.every(({ labelSelector, topologyKey }) => {
    const domain = node.metadata.labels?.[topologyKey];
    if (domain === undefined) return true;
    const peers = store.list<Node>('nodes').filter((other) => other.metadata.labels?.[topologyKey] === domain);
    return !peers
      .flatMap((peer) => podsOn(occupancy, peer))
      .some((other) => sameNamespace(other, pod) && matchesSelector(labelSelector, other.metadata.labels));
  });
}

function sameNamespace(a: Pod, b: Pod): boolean {
  return a.metadata.namespace === b.metadata.namespace;
}

function lackOf(node: Node, pod: Pod, present: Pod[]): string | undefined {
  const allocatable = node.status?.allocatable ?? {};
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
