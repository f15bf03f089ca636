import { randomUUID } from 'node:crypto';
import { type Behaviour, behaviourAnnotations } from './behaviour.ts';
import {
  type Budget,
  type KubeObject,
  type OwnerReference,
  type Pod,
  type PodSpec,
  type PodStatus,
  type Toleration,
  timestamp,
  type Volume,
  type Workload,
} from './objects.ts';

export { pvc } from './claim-fixture.ts';
export { node } from './node-fixture.ts';

import { finishedStatus, runningStatus } from './pod-status.ts';
import { nameSuffix, templateHash } from './workloads.ts';

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
  template: Workload,
  name: string,
  where: string | undefined,
  options: WorkloadOptions,
  labels: Record<string, string>,
  owner: KubeObject = template,
): Pod {
  const { namespace = 'default' } = owner.metadata;
  const { replicas: _, nodes: _nodes, node: _node, ...rest } = options;
  const made = pod(name, { ...rest, ...(where ? { node: where } : {}), namespace, labels, owner: ownedBy(owner) });
  // As its controller would make it.
  made.spec.containers = structuredClone(template.spec.template.spec.containers);
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
  const pods = nodes.map((where) => ownedPod(made, `${name}-${nameSuffix()}`, where, options, marked, owner));
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
