/** The parts of Kubernetes objects that the lab's controllers read or write; everything else passes through untouched. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface Metadata {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastHeartbeatTime?: string;
  lastProbeTime?: string;
  observedGeneration?: number;
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface NodeSelectorTerm {
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

export interface Container {
  name: string;
  image?: string;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  [field: string]: unknown;
}

export interface Volume {
  name: string;
  emptyDir?: object;
  persistentVolumeClaim?: { claimName: string };
  [field: string]: unknown;
}

export interface PodSpec {
  nodeName?: string;
  containers: Container[];
  volumes?: Volume[];
  tolerations?: Toleration[];
  nodeSelector?: Record<string, string>;
  affinity?: {
    nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] } };
    podAntiAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { labelSelector?: LabelSelector; topologyKey: string }[];
    };
  };
  terminationGracePeriodSeconds?: number;
  restartPolicy?: string;
  [field: string]: unknown;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  image: string;
  imageID: string;
  state: Record<string, Record<string, unknown>>;
}

export interface PodStatus {
  phase: string;
  conditions?: Condition[];
  containerStatuses?: ContainerStatus[];
  podIP?: string;
  hostIP?: string;
  startTime?: string;
  [field: string]: unknown;
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status?: PodStatus;
}

export interface PodTemplate {
  metadata?: Partial<Metadata>;
  spec: PodSpec;
}

export interface Node extends KubeObject {
  spec: { unschedulable?: boolean; taints?: Taint[]; [field: string]: unknown };
  status?: {
    conditions?: Condition[];
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
    [field: string]: unknown;
  };
}

/** Deployment, ReplicaSet, StatefulSet and DaemonSet, as far as they are alike. */
export interface Workload extends KubeObject {
  spec: { replicas?: number; selector?: LabelSelector; template: PodTemplate; [field: string]: unknown };
  status?: Record<string, unknown>;
}

export interface Job extends KubeObject {
  spec: { completions?: number; parallelism?: number; template: PodTemplate; [field: string]: unknown };
  status?: Record<string, unknown>;
}

export interface Budget extends KubeObject {
  spec: {
    selector?: LabelSelector;
    minAvailable?: number | string;
    maxUnavailable?: number | string;
    unhealthyPodEvictionPolicy?: string;
  };
  status?: BudgetStatus;
}

export interface BudgetStatus {
  observedGeneration?: number;
  disruptionsAllowed: number;
  currentHealthy: number;
  desiredHealthy: number;
  expectedPods: number;
  disruptedPods?: Record<string, string>;
  conditions?: Condition[];
}

export interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** The condition of that type, when the object has it. */
export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const status = object.status as { conditions?: Condition[] } | undefined;
  return status?.conditions?.find((condition) => condition.type === type);
}

/**
 * Puts a condition into a list; lastTransitionTime moves only when the status changes.
 * @returns whether anything but a heartbeat changed
 */
export function setCondition(conditions: Condition[], wanted: Condition): boolean {
  const found = conditions.find((condition) => condition.type === wanted.type);
  if (!found) {
    conditions.push({ lastTransitionTime: timestamp(), ...wanted });
    return true;
  }
  const changed = found.status !== wanted.status;
  const differs = changed || found.reason !== wanted.reason || found.message !== wanted.message;
  Object.assign(found, wanted, changed ? { lastTransitionTime: timestamp() } : {});
  return differs;
}

export function isReady(object: KubeObject): boolean {
  return conditionOf(object, 'Ready')?.status === 'True';
}

/** A pod in phase Succeeded or Failed: it runs no more and uses nothing. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** The owner that is in charge of the object, when there is one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller);
}

/** The API's time format: whole seconds, UTC. */
export function timestamp(date = new Date()): string {
  return date.toISOString().slice(0, 19) + 'Z';
}

/** The API's MicroTime of now, as leases have it: two in a row differ. */
export function microTimestamp(): string {
  const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const whole = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, 23);
  return `${whole}${String(microseconds % 1000).padStart(3, '0')}Z`;
}
