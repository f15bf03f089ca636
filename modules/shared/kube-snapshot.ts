/** The state of a cluster as an action log shows it before and after. */
import { type ClusterReader, type KubeObject, ReeveError } from '../../runner/module.ts';
import { type NodeSummary, summaryOf } from './kube-node-health.ts';
import { isFinished, nameOf, workloadOf } from './kube-objects.ts';
import { troubleOf } from './kube-pod-health.ts';
import { quantity } from './kube-quantity.ts';

export interface NodeReport extends NodeSummary {
  address: string;
  /** What it has: cores, and bytes. */
  cpu: number;
  memory: number;
  /** What the pods on it ask for. */
  cpu_requested: number;
  memory_requested: number;
  /** What it uses now; only where the cluster has metrics. */
  cpu_used?: number;
  memory_used?: number;
}

export interface PodReport {
  pod: string;
  workload: string;
  node: string;
  /** `Running`, `Succeeded`, `Terminating`, or what is wrong with it. */
  state: string;
  restarts: number;
}

export interface ClaimReport {
  claim: string;
  /** The volume that it is bound to; empty when it is not. */
  volume: string;
  state: string;
}

export interface ClusterSnapshot {
  server_version: string;
  nodes: NodeReport[];
  pods: PodReport[];
  /** Absent where they may not be read. */
  claims?: ClaimReport[];
}

/** Reads nodes, pods and what they use, and the claims of volumes. */
export async function snapshotOf(cluster: ClusterReader): Promise<ClusterSnapshot> {
  const [version, nodes, pods, usage, claims] = await Promise.all([
    cluster.read({ method: 'GET', path: '/version' }),
    cluster.list('/api/v1/nodes'),
    cluster.list('/api/v1/pods'),
    usageOf(cluster),
    claimsOf(cluster),
  ]);
  return {
    server_version: version.body?.gitVersion ?? '',
    nodes: nodes.map((node) => nodeReport(node, pods, usage)).sort((a, b) => order(a.name, b.name)),
    pods: pods.map(podReport).sort((a, b) => order(a.node, b.node) || order(a.pod, b.pod)),
    ...(claims ? { claims: claims.map(claimReport).sort((a, b) => order(a.claim, b.claim)) } : {}),
  };
}

async function claimsOf(cluster: ClusterReader): Promise<KubeObject[] | undefined> {
  try {
    return await cluster.list('/api/v1/persistentvolumeclaims');
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'cluster-forbidden') return undefined;
    throw error;
  }
}

function claimReport(claim: KubeObject): ClaimReport {
  return { claim: nameOf(claim), volume: claim.spec?.volumeName ?? '', state: claim.status?.phase ?? 'Unknown' };
}

/** The same in every locale. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What `kubectl top nodes` shows; empty where nothing measures (metrics-server is optional in k3s). */
async function usageOf(cluster: ClusterReader): Promise<Map<string, KubeObject>> {
  try {
    const { status, body } = await cluster.read({ method: 'GET', path: '/apis/metrics.k8s.io/v1beta1/nodes' });
    const items: KubeObject[] = status === 200 ? (body?.items ?? []) : [];
    return new Map(items.map((item) => [item.metadata.name, item.usage]));
  } catch (error) {
    if (error instanceof ReeveError && /^cluster-(forbidden|not-found|refused)$/.test(error.code)) return new Map();
    throw error;
  }
}

function nodeReport(node: KubeObject, pods: readonly KubeObject[], usage: Map<string, KubeObject>): NodeReport {
  const summary = summaryOf(node);
  const here = pods.filter((pod) => pod.spec?.nodeName === summary.name && !isFinished(pod));
  const requested = (what: 'cpu' | 'memory') =>
    rounded(
      here.flatMap((pod) => pod.spec.containers ?? []).reduce((sum, one) => sum + requestOf(one, what), 0),
      what,
    );
  const capacity = node.status?.capacity ?? {};
  const addresses: KubeObject[] = node.status?.addresses ?? [];
  const used = usage.get(summary.name);
  return {
    ...summary,
    address: addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
    cpu: quantity(capacity.cpu),
    memory: quantity(capacity.memory),
    cpu_requested: requested('cpu'),
    memory_requested: requested('memory'),
    ...(used
      ? { cpu_used: rounded(quantity(used.cpu), 'cpu'), memory_used: rounded(quantity(used.memory), 'memory') }
      : {}),
  };
}

function requestOf(container: KubeObject, what: 'cpu' | 'memory'): number {
  return quantity(container.resources?.requests?.[what]);
}

/** Thousandths of a core, whole bytes: sums of decimal fractions must not end in …0001. */
function rounded(value: number, what: 'cpu' | 'memory'): number {
  return what === 'cpu' ? Math.round(value * 1000) / 1000 : Math.round(value);
}

function podReport(pod: KubeObject): PodReport {
  const statuses: KubeObject[] = pod.status?.containerStatuses ?? [];
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  return {
    pod: nameOf(pod),
    workload: workloadOf(pod),
    node: pod.spec?.nodeName ?? '',
    state: terminating ? 'Terminating' : (troubleOf(pod) ?? pod.status?.phase ?? 'Unknown'),
    restarts: statuses.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
  };
}
