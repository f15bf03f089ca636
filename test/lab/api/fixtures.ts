import { randomUUID } from 'node:crypto';
import { type Behaviour, behaviourAnnotations } from './behaviour.ts';
import {
  type Budget,
  type Condition,
  type KubeObject,
  type Node,
  type OwnerReference,
  type Pod,
  type PodSpec,
  type PodStatus,
  type Taint,
  type Toleration,
  timestamp,
  type Volume,
  type Workload,
} from './objects.ts';
import { finishedStatus, runningStatus } from './pod-status.ts';
import { nameSuffix, templateHash } from './workloads.ts';

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

function nodeConditions(ready: boolean, voter: boolean): Condition[] {
  const at = timestamp();
  const condition = (type: string, holds: boolean, reason: string): Condition => ({
    type,
    status: holds ? 'True' : 'False',
    reason,
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  });
  return [
    condition('MemoryPressure', false, 'KubeletHasSufficientMemory'),
    condition('DiskPressure', false, 'KubeletHasNoDiskPressure'),
    condition('PIDPressure', false, 'KubeletHasSufficientPID'),
    ...(voter ? [condition('EtcdIsVoter', true, 'MemberNotLearner')] : []),
    condition('Ready', ready, ready ? 'KubeletReady' : 'KubeletNotReady'),
  ];
}

/** What pods of all kinds may be told. */
export interface PodOptions {
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** A volume of type emptyDir. */
  emptyDir?: boolean;
  /** The PersistentVolumeClaim to mount. */
  claim?: string;
  cpu?: string;
  memory?: string;
  /** terminationGracePeriodSeconds; 30 unless told. */
  grace?: number;
  tolerations?: Toleration[];
  nodeSelector?: Record<string, string>;
  behaviour?: Behaviour;
}

export interface SinglePodOptions extends PodOptions {
  node?: string;
  phase?: 'Running' | 'Pending' | 'Succeeded' | 'Failed';
  ready?: boolean;
  owner?: OwnerReference;
  /** The mark of a static pod's mirror. */
  mirror?: boolean;
  /** Already being deleted since that many seconds (deletionTimestamp in the past). */
  deletedSecondsAgo?: number;
  finalizers?: string[];
}

/** One pod, running and ready on its node unless told otherwise; without an owner it is a bare one. */
export function pod(name: string, options: SinglePodOptions = {}): Pod {
  const { namespace = 'default', owner, mirror, deletedSecondsAgo, finalizers, phase = 'Running' } = options;
  const spec: PodSpec = { ...podSpec(name, options), ...(options.node ? { nodeName: options.node } : {}) };
  const labels = options.labels ?? { app: name };
  const mirrored = mirror ? { 'kubernetes.io/config.mirror': randomUUID().replaceAll('-', '') } : {};
  const annotations = { ...options.annotations, ...behaviourAnnotations(options.behaviour ?? {}), ...mirrored };
  const deletion =
    deletedSecondsAgo === undefined
      ? {}
      : {
          deletionTimestamp: timestamp(new Date(Date.now() - deletedSecondsAgo * 1000)),
          deletionGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
        };
  const status = podStatus(spec, phase, options);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace, uid: randomUUID(), labels, annotations },
      ...(owner ? { ownerReferences: [owner] } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...deletion,
    },
    spec,
    status,
  };
}

function podStatus(spec: PodSpec, phase: string, { behaviour = {}, ready = true }: SinglePodOptions): PodStatus {
  if (phase === 'Pending' || (phase === 'Running' && !spec.nodeName)) return { phase: 'Pending' };
  if (phase !== 'Running') return finishedStatus(spec, phase === 'Succeeded');
  const crashing = behaviour.crashLoops === true;
  return runningStatus(spec, { ready: ready && !behaviour.neverReady && !crashing, crashing, podIP: '10.42.255.1' });
}

function podSpec(name: string, options: PodOptions): PodSpec {
  const { emptyDir, claim, cpu, memory, grace = 30, tolerations, nodeSelector } = options;
  const requests = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
  const volumes: Volume[] = [
    ...(emptyDir ? [{ name: 'scratch', emptyDir: {} }] : []),
    ...(claim ? [{ name: 'data', persistentVolumeClaim: { claimName: claim } }] : []),
  ];
  return {
    containers: [
      { name: 'main', image: `registry.example/${name}:1.0`, ...(cpu || memory ? { resources: { requests } } : {}) },
    ],
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(tolerations ? { tolerations } : {}),
    ...(nodeSelector ? { nodeSelector } : {}),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: grace,
    schedulerName: 'default-scheduler',
  };
}

export interface WorkloadOptions extends PodOptions {
  /** How many pods; 1 unless told, or one per node given. */
  replicas?: number;
  /** Where all pods run. */
  node?: string;
  /** Where the pods run, in turn. */
  nodes?: string[];
  ready?: boolean;
}

interface Placed {
  namespace: string;
  labels: Record<string, string>;
  nodes: (string | undefined)[];
}

function placed(name: string, { namespace = 'default', labels, ...options }: WorkloadOptions): Placed {
  const spread = options.nodes ?? (options.node ? [options.node] : []);
  const count = options.replicas ?? Math.max(1, options.nodes?.length ?? 1);
  const nodes = Array.from({ length: count }, (_, index) =>
    spread.length > 0 ? spread[index % spread.length] : undefined,
  );
  return { namespace, labels: labels ?? { app: name }, nodes };
}

function workload(kind: string, name: string, options: WorkloadOptions, more: Record<string, unknown>): Workload {
  const { namespace, labels } = placed(name, options);
  const annotations = { ...options.annotations, ...behaviourAnnotations(options.behaviour ?? {}) };
  const template = {
    metadata: { labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: podSpec(name, options),
  };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, uid: randomUUID(), labels },
    spec: { selector: { matchLabels: labels }, template, ...more },
  };
}

/** The reference by which an object's pods know their controller. */
export function ownedBy({ apiVersion, kind, metadata: { name, uid = '' } }: KubeObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** One pod of an owner; `claim` of a StatefulSet's pods is added by its builder. */
function ownedPod(
  owner: KubeObject,
  name: string,
  where: string | undefined,
  options: WorkloadOptions,
  labels: Record<string, string>,
): Pod {
  const { namespace = 'default' } = owner.metadata;
  const { replicas: _, nodes: _nodes, node: _node, ...rest } = options;
  const made = pod(name, { ...rest, ...(where ? { node: where } : {}), namespace, labels, owner: ownedBy(owner) });
  for (const container of made.spec.containers) container.image = `registry.example/${owner.metadata.name}:1.0`;
  return made;
}

/** A Deployment with its ReplicaSet and its pods. */
export function deployment(name: string, options: WorkloadOptions = {}): KubeObject[] {
  const { namespace, labels, nodes } = placed(name, options);
  const owner = workload('Deployment', name, options, { replicas: nodes.length });
  const hash = templateHash(owner.spec.template);
  const hashed = { ...labels, 'pod-template-hash': hash };
  const set: Workload = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      uid: randomUUID(),
      labels: hashed,
      ownerReferences: [ownedBy(owner)],
    },
    spec: {
      replicas: nodes.length,
      selector: { matchLabels: hashed },
      template: { ...owner.spec.template, metadata: { ...owner.spec.template.metadata, labels: hashed } },
    },
  };
  const pods = nodes.map((where) => ownedPod(set, `${set.metadata.name}-${nameSuffix()}`, where, options, hashed));
  return [owner, set, ...pods];
}

/** A StatefulSet with its pods NAME-0, NAME-1, … */
export function statefulset(name: string, options: WorkloadOptions = {}): KubeObject[] {
  const { labels, nodes } = placed(name, options);
  const owner = workload('StatefulSet', name, options, { replicas: nodes.length, serviceName: name });
  return [owner, ...nodes.map((where, index) => ownedPod(owner, `${name}-${index}`, where, options, labels))];
}

/** A DaemonSet with one pod on each of `nodes`; it tolerates everything, as those of a cluster's own services do. */
export function daemonset(name: string, options: WorkloadOptions = {}): KubeObject[] {
  const tolerant = { tolerations: [{ operator: 'Exists' }], ...options };
  const { labels, nodes } = placed(name, tolerant);
  const owner = workload('DaemonSet', name, tolerant, {});
  const pods = nodes.map((where) => ownedPod(owner, `${name}-${nameSuffix()}`, where, tolerant, labels));
  return [owner, ...pods];
}

/** A Job with its pods. It has no selector, since the API makes that itself. */
export function job(name: string, options: WorkloadOptions = {}): KubeObject[] {
  const { nodes, labels } = placed(name, options);
  const made = workload('Job', name, options, { completions: nodes.length, parallelism: nodes.length });
  const { selector: _, ...spec } = made.spec;
  spec.template.spec.restartPolicy = 'Never';
  const owner: KubeObject = { ...made, apiVersion: 'batch/v1', spec };
  const marked = { ...labels, 'batch.kubernetes.io/job-name': name, 'job-name': name };
  const pods = nodes.map((where) => ownedPod(owner, `${name}-${nameSuffix()}`, where, options, marked));
  for (const each of pods) each.spec.restartPolicy = 'Never';
  return [owner, ...pods];
}

export interface BudgetOptions {
  namespace?: string;
  /** Labels that pods must have; `{ app: name }` unless told. */
  matchLabels?: Record<string, string>;
  minAvailable?: number | string;
  maxUnavailable?: number | string;
  unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
}

/** A PodDisruptionBudget; with neither number it allows one pod to be away. */
export function pdb(name: string, options: BudgetOptions = {}): Budget {
  const { namespace = 'default', matchLabels = { app: name }, ...numbers } = options;
  const unsaid = options.minAvailable === undefined && options.maxUnavailable === undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace, uid: randomUUID() },
    spec: { selector: { matchLabels }, ...numbers, ...(unsaid ? { maxUnavailable: 1 } : {}) },
  };
}

export interface ClaimOptions {
  namespace?: string;
  /** The node that a local-path volume ties its pods to. */
  node?: string;
  size?: string;
  storageClass?: string;
}

/** A bound PersistentVolumeClaim with its PersistentVolume, on one node when that is given (k3s's local-path). */
export function pvc(name: string, options: ClaimOptions = {}): KubeObject[] {
  const { namespace = 'default', size = '1Gi', storageClass = options.node ? 'local-path' : 'longhorn' } = options;
  const uid = randomUUID();
  const volumeName = `pvc-${uid}`;
  const shape = { accessModes: ['ReadWriteOnce'], storageClassName: storageClass };
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [options.node ?? ''] };
  const local = {
    hostPath: { path: `/var/lib/rancher/k3s/storage/${volumeName}_${namespace}_${name}`, type: 'DirectoryOrCreate' },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
  };
  const source = options.node ? local : { csi: { driver: 'driver.longhorn.io', volumeHandle: volumeName } };
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName, uid: randomUUID() },
      spec: {
        ...shape,
        capacity: { storage: size },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        persistentVolumeReclaimPolicy: 'Delete',
        ...source,
      },
      status: { phase: 'Bound' },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, uid },
      spec: { ...shape, resources: { requests: { storage: size } }, volumeName },
      status: { phase: 'Bound', accessModes: shape.accessModes, capacity: { storage: size } },
    },
  ];
}

/** A namespace; seeding creates those that objects name by itself. */
export function namespace(name: string, { terminating = false } = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { 'kubernetes.io/metadata.name': name },
      ...(terminating ? { deletionTimestamp: timestamp(), finalizers: ['kubernetes'] } : {}),
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: terminating ? 'Terminating' : 'Active' },
  };
}
