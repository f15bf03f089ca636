import type { KubeObject } from '../../runner/module.ts';
import { condition } from './kube-objects.ts';

/** Conditions that mean trouble when True (kubernetes/api core/v1 NodeConditionType). */
const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'];

/** A node as facts and messages show it. */
export interface NodeSummary {
  name: string;
  ready: boolean;
  cordoned: boolean;
  /** Of its kubelet, such as `v1.31.5+k3s1`. */
  version: string;
  server: boolean;
}

export function summaryOf(node: KubeObject): NodeSummary {
  const labels = node.metadata.labels ?? {};
  return {
    name: node.metadata.name,
    ready: condition(node, 'Ready')?.status === 'True',
    cordoned: node.spec?.unschedulable === true,
    version: node.status?.nodeInfo?.kubeletVersion ?? '',
    server:
      labels['node-role.kubernetes.io/control-plane'] !== undefined ||
      labels['node-role.kubernetes.io/master'] !== undefined,
  };
}

/** Why a node is not Ready; undefined when it is. */
export function notReady(node: KubeObject): string | undefined {
  const ready = condition(node, 'Ready');
  if (ready?.status === 'True') return undefined;
  if (!ready) return 'has not reported Ready yet';
  const why = ready.message || ready.reason;
  const word = ready.status === 'Unknown' ? 'is lost (Ready is Unknown)' : 'is not Ready';
  return `${word}${why ? `: ${why}` : ''}`;
}

/** k3s sets this condition on servers with etcd; a learner does not count for the quorum. */
export function notVoter(node: KubeObject): string | undefined {
  const voter = condition(node, 'EtcdIsVoter');
  if (!voter || voter.status === 'True') return undefined;
  return `is no voting member of etcd yet${voter.message ? `: ${voter.message}` : ''}`;
}

/** All that is wrong with a node. */
export function troublesOf(node: KubeObject): string[] {
  const pressures = PRESSURES.filter((type) => condition(node, type)?.status === 'True').map((type) => `has ${type}`);
  return [notReady(node), notVoter(node), ...pressures].filter((trouble) => trouble !== undefined);
}
