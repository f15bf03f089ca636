import { createHash, randomInt } from 'node:crypto';
import {
  controllerOf,
  isFinished,
  isReady,
  type Job,
  type KubeObject,
  type Node,
  type Pod,
  type Workload,
} from './objects.ts';
import { matchesNode, untoleratedTaint } from './scheduling.ts';
import { canonical, type Store } from './store.ts';

/** Brings the pods of every owner to the wanted number: kube-controller-manager's part, without rolling updates. */
export function syncWorkloads(store: Store): void {
  const owned = podsByOwner(store);
  for (const deployment of living<Workload>(store, 'deployments')) syncDeployment(store, deployment);
  for (const set of living<Workload>(store, 'replicasets')) syncReplicaSet(store, set, owned.get(uidOf(set)) ?? []);
  for (const set of living<Workload>(store, 'statefulsets')) syncStatefulSet(store, set, owned.get(uidOf(set)) ?? []);
  for (const set of living<Workload>(store, 'daemonsets')) syncDaemonSet(store, set, owned.get(uidOf(set)) ?? []);
  for (const job of living<Job>(store, 'jobs')) syncJob(store, job, owned.get(uidOf(job)) ?? []);
}

const uidOf = (object: KubeObject) => object.metadata.uid!;

function living<T extends KubeObject>(store: Store, kind: string): T[] {
  return store.list<T>(kind).filter((object) => !object.metadata.deletionTimestamp);
}

function podsByOwner(store: Store): Map<string, Pod[]> {
  const owned = new Map<string, Pod[]>();
  for (const pod of store.list<Pod>('pods')) {
    const owner = controllerOf(pod);
    if (owner) owned.set(owner.uid, [...(owned.get(owner.uid) ?? []), pod]);
  }
  return owned;
}

const isActive = (pod: Pod) => !pod.metadata.deletionTimestamp && !isFinished(pod);

// apimachinery's alphabet for generated names: no vowels, so that no words come out.
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** A random suffix as generateName and the controllers append it. */
export function nameSuffix(length = 5): string {
  return Array.from({ length }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]).join('');
}

/** The label value that ties pods to one version of a Deployment's template. */
export function templateHash(template: unknown): string {
  const digest = createHash('sha256').update(canonical(template)).digest();
  return Array.from(digest.subarray(0, 10), (byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length]).join('');
}

const ownedBy = (owner: KubeObject) => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid!,
  controller: true,
  blockOwnerDeletion: true,
});

function createPod(store: Store, owner: Workload | Job, name: string, adapt: (pod: Pod) => void = () => {}): void {
  const { metadata = {}, spec } = structuredClone(owner.spec.template);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name,
      namespace: owner.metadata.namespace ?? 'default',
      ownerReferences: [ownedBy(owner)],
    },
    spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler', ...spec },
    status: { phase: 'Pending' },
  };
  adapt(pod);
  store.add(pod);
}

function markForDeletion(store: Store, pod: Pod): void {
  const { name, namespace = '' } = pod.metadata;
  if (!pod.spec.nodeName) store.remove('pods', name, namespace);
  else {
    store.update<Pod>('pods', name, namespace, (draft) => {
      const grace = draft.spec.terminationGracePeriodSeconds ?? 30;
      draft.metadata.deletionTimestamp = new Date(Date.now() + grace * 1000).toISOString().slice(0, 19) + 'Z';
      draft.metadata.deletionGracePeriodSeconds = grace;
    });
  }
}

function report(store: Store, kind: string, owner: KubeObject, status: Record<string, unknown>): void {
  store.update(kind, owner.metadata.name, owner.metadata.namespace ?? '', (draft) => {
    draft.status = { ...(draft.status as object), observedGeneration: draft.metadata.generation ?? 1, ...status };
  });
}

function syncDeployment(store: Store, deployment: Workload): void {
  const { name, namespace = 'default' } = deployment.metadata;
  const hash = templateHash(deployment.spec.template);
  const sets = store
    .list<Workload>('replicasets', namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
  const isCurrent = (set: Workload) => set.metadata.labels?.['pod-template-hash'] === hash;
  const wanted = deployment.spec.replicas ?? 1;
  if (!sets.some(isCurrent)) {
    const { metadata = {}, spec } = structuredClone(deployment.spec.template);
    const labels = { ...metadata.labels, 'pod-template-hash': hash };
    const selector = {
      ...deployment.spec.selector,
      matchLabels: { ...deployment.spec.selector?.matchLabels, 'pod-template-hash': hash },
    };
    store.add({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownedBy(deployment)] },
      spec: { replicas: wanted, selector, template: { metadata: { ...metadata, labels }, spec } },
    });
  }
  for (const set of sets) {
    const replicas = isCurrent(set) ? wanted : 0;
    store.update<Workload>('replicasets', set.metadata.name, namespace, (draft) => {
      if (draft.spec.replicas !== replicas) draft.metadata.generation = (draft.metadata.generation ?? 1) + 1;
      draft.spec.replicas = replicas;
    });
  }
  const sum = (field: string) => sets.reduce((total, set) => total + Number(set.status?.[field] ?? 0), 0);
  const available = sum('availableReplicas');
  report(store, 'deployments', deployment, {
    replicas: sum('replicas'),
    updatedReplicas: Number(sets.find(isCurrent)?.status?.replicas ?? 0),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, wanted - available),
    conditions: [
      {
        type: 'Available',
        status: available >= wanted ? 'True' : 'False',
        reason: available >= wanted ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      },
    ],
  });
}

function syncReplicaSet(store: Store, set: Workload, pods: Pod[]): void {
  const active = pods.filter(isActive);
  const wanted = set.spec.replicas ?? 1;
  for (let missing = wanted - active.length; missing > 0; missing--) {
    createPod(store, set, `${set.metadata.name}-${nameSuffix()}`);
  }
  // Unready pods are the first to go, as in the real controller's ranking.
  const surplus = active
    .toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)))
    .slice(0, Math.max(0, active.length - wanted));
  for (const pod of surplus) markForDeletion(store, pod);
  const ready = active.filter(isReady).length;
  report(store, 'replicasets', set, {
    replicas: active.length,
    readyReplicas: ready,
    availableReplicas: ready,
    fullyLabeledReplicas: active.length,
  });
}

function syncStatefulSet(store: Store, set: Workload, pods: Pod[]): void {
  const wanted = set.spec.replicas ?? 1;
  const { name } = set.metadata;
  const claims = (set.spec.volumeClaimTemplates ?? []) as { metadata: { name: string } }[];
  for (let ordinal = 0; ordinal < wanted; ordinal++) {
    const podName = `${name}-${ordinal}`;
    const pod = pods.find((one) => one.metadata.name === podName);
    if (pod && isFinished(pod)) store.remove('pods', podName, set.metadata.namespace);
    if (!pod && !store.get('pods', podName, set.metadata.namespace)) {
      createPod(store, set, podName, (created) => {
        created.metadata.labels = { ...created.metadata.labels, 'statefulset.kubernetes.io/pod-name': podName };
        const volumes = claims.map(({ metadata }) => ({
          name: metadata.name,
          persistentVolumeClaim: { claimName: `${metadata.name}-${podName}` },
        }));
        if (volumes.length > 0) created.spec.volumes = [...(created.spec.volumes ?? []), ...volumes];
      });
    }
    if ((!pod || !isReady(pod)) && set.spec.podManagementPolicy !== 'Parallel') break;
  }
  const ordinalOf = (pod: Pod) => Number(pod.metadata.name.slice(name.length + 1));
  for (const pod of pods) if (ordinalOf(pod) >= wanted && isActive(pod)) markForDeletion(store, pod);
  const ready = pods.filter((pod) => isActive(pod) && isReady(pod)).length;
  const count = pods.filter(isActive).length;
  report(store, 'statefulsets', set, {
    replicas: count,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: count,
    updatedReplicas: count,
  });
}

// What the DaemonSet controller adds to each of its pods (pkg/controller/daemon/util).
const DAEMON_TOLERATIONS = [
  ...['not-ready', 'unreachable'].map((state) => ({
    key: `node.kubernetes.io/${state}`,
    operator: 'Exists',
    effect: 'NoExecute',
  })),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((state) => ({
    key: `node.kubernetes.io/${state}`,
    operator: 'Exists',
    effect: 'NoSchedule',
  })),
];

function syncDaemonSet(store: Store, set: Workload, pods: Pod[]): void {
  const tolerations = [...(set.spec.template.spec.tolerations ?? []), ...DAEMON_TOLERATIONS];
  const nodes = store
    .list<Node>('nodes')
    .filter((node) => matchesNode(node, set.spec.template.spec) && !untoleratedTaint(node, tolerations));
  for (const node of nodes) {
    const nodeName = node.metadata.name;
    if (pods.some((pod) => pod.spec.nodeName === nodeName && !isFinished(pod))) continue;
    createPod(store, set, `${set.metadata.name}-${nameSuffix()}`, (pod) => {
      pod.spec.nodeName = nodeName;
      pod.spec.tolerations = tolerations;
    });
  }
  const ready = pods.filter((pod) => isActive(pod) && isReady(pod)).length;
  report(store, 'daemonsets', set, {
    desiredNumberScheduled: nodes.length,
    currentNumberScheduled: pods.filter(isActive).length,
    updatedNumberScheduled: pods.filter(isActive).length,
    numberReady: ready,
    numberAvailable: ready,
    numberUnavailable: Math.max(0, nodes.length - ready),
    numberMisscheduled: 0,
  });
}

function syncJob(store: Store, job: Job, pods: Pod[]): void {
  const succeeded = pods.filter((pod) => pod.status?.phase === 'Succeeded').length;
  const failed = pods.filter((pod) => pod.status?.phase === 'Failed').length;
  const active = pods.filter(isActive);
  const completions = job.spec.completions ?? 1;
  const room = Math.min(job.spec.parallelism ?? 1, completions - succeeded) - active.length;
  for (let missing = room; missing > 0; missing--) {
    createPod(store, job, `${job.metadata.name}-${nameSuffix()}`, (pod) => {
      if (pod.spec.restartPolicy === 'Always') pod.spec.restartPolicy = 'Never';
    });
  }
  const complete = succeeded >= completions;
  report(store, 'jobs', job, {
    active: active.length,
    succeeded,
    failed,
    ready: active.filter(isReady).length,
    ...(complete ? { conditions: [{ type: 'Complete', status: 'True', reason: 'CompletionsReached' }] } : {}),
  });
}
