import { randomUUID } from 'node:crypto';
import { type Condition, type Node, type Taint, timestamp } from './objects.ts';

export interface NodeOptions {
  /** A k3s server with etcd: control-plane labels and the EtcdIsVoter condition. */
  server?: boolean;
  version?: string;
  ready?: boolean;
  unschedulable?: boolean;
  ip?: string;
  cpu?: string;
  memory?: string;
  /** How many pods fit. */
  pods?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: Taint[];
}

/** A k3s node, Ready unless told otherwise; its Lease appears with its first heartbeat. */
export function node(name: string, options: NodeOptions = {}): Node {
  const { server = false, version = 'v1.31.5+k3s1', ready = true, ip = '127.0.0.1' } = options;
  const { cpu = '4', memory = '8Gi', pods = 110, labels = {}, annotations = {}, taints = [] } = options;
  const roles = ['control-plane', 'etcd', 'master'].map((role) => [`node-role.kubernetes.io/${role}`, 'true']);
  const resources = { cpu, memory, pods: `${pods}`, 'ephemeral-storage': '100Gi' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: randomUUID(),
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node.kubernetes.io/instance-type': 'k3s',
        ...(server ? Object.fromEntries(roles) : {}),
        ...labels,
      },
      annotations: { 'k3s.io/hostname': name, 'k3s.io/internal-ip': ip, ...annotations },
    },
    spec: { ...(options.unschedulable ? { unschedulable: true } : {}), ...(taints.length > 0 ? { taints } : {}) },
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: name },
      ],
      conditions: nodeConditions(ready, server),
      nodeInfo: {
        architecture: 'amd64',
        bootID: randomUUID(),
        containerRuntimeVersion: 'containerd://1.7.23-k3s2',
        kernelVersion: '6.1.0-30-amd64',
        kubeProxyVersion: version,
        kubeletVersion: version,
        machineID: randomUUID().replaceAll('-', ''),
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        systemUUID: randomUUID(),
      },
    },
  };
}

/** What a kubelet reports of a machine that has enough of everything. */
export function withoutPressure(): Condition[] {
  return [
    condition('MemoryPressure', false, 'KubeletHasSufficientMemory'),
    condition('DiskPressure', false, 'KubeletHasNoDiskPressure'),
    condition('PIDPressure', false, 'KubeletHasSufficientPID'),
  ];
}

function nodeConditions(ready: boolean, voter: boolean): Condition[] {
  return [
    ...withoutPressure(),
    ...(voter ? [condition('EtcdIsVoter', true, 'MemberNotLearner')] : []),
    condition('Ready', ready, ready ? 'KubeletReady' : 'KubeletNotReady'),
  ];
}

function condition(type: string, holds: boolean, reason: string): Condition {
  const at = timestamp();
  return { type, status: holds ? 'True' : 'False', reason, lastHeartbeatTime: at, lastTransitionTime: at };
}
