import {
  type Budget,
  conditionOf,
  isFinished,
  type KubeObject,
  type Node,
  type Pod,
  type Workload,
} from './objects.ts';

/** A column of `kubectl get`; wide ones show with -o wide only. */
export interface Column {
  name: string;
  type?: 'string' | 'integer';
  format?: string;
  wide?: boolean;
  cell(object: KubeObject): unknown;
}

/** Time since creation as kubectl writes it: 45s, 3m20s, 5h, 12d. */
export function age({ metadata }: KubeObject): string {
  return metadata.creationTimestamp ? duration(Date.now() - Date.parse(metadata.creationTimestamp)) : '<unknown>';
}

function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** A function of a more precise type as a column's cell: the table key guarantees the kind. */
function of<T extends KubeObject>(cell: (object: T) => unknown): (object: KubeObject) => unknown {
  return (object) => cell(object as T);
}

const name: Column = { name: 'Name', format: 'name', cell: ({ metadata }) => metadata.name };
const ageColumn: Column = { name: 'Age', cell: age };
const number = (title: string, value: (object: Workload) => unknown): Column => ({
  name: title,
  type: 'integer',
  cell: of<Workload>((object) => value(object) ?? 0),
});
const text = (title: string, path: string, more: Partial<Column> = {}): Column => ({
  name: title,
  cell: (object) => at(object, path) ?? '<none>',
  ...more,
});

function at(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}

const address = (type: string) =>
  of<Node>((node) => node.status?.addresses?.find((one) => one.type === type)?.address ?? '<none>');
const images = of<Workload>(({ spec }) => spec.template.spec.containers.map(({ image }) => image).join(','));
const selector = of<Workload>(({ spec }) => {
  const labels = Object.entries(spec.selector?.matchLabels ?? {});
  return labels.length === 0 ? '<none>' : labels.map(([key, value]) => `${key}=${value}`).join(',');
});
const containers: Column[] = [
  {
    name: 'Containers',
    wide: true,
    cell: of<Workload>(({ spec }) => spec.template.spec.containers.map((c) => c.name).join(',')),
  },
  { name: 'Images', wide: true, cell: images },
];
const selectorColumn: Column = { name: 'Selector', wide: true, cell: selector };

function nodeStatus(node: Node): string {
  const ready = conditionOf(node, 'Ready')?.status;
  const state = ready === 'True' ? 'Ready' : ready === undefined ? 'Unknown' : 'NotReady';
  return node.spec.unschedulable ? `${state},SchedulingDisabled` : state;
}

function nodeRoles({ metadata }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
  return roles.length === 0
    ? '<none>'
    : roles
        .map((key) => key.slice(prefix.length))
        .sort()
        .join(',');
}

function podStatus(pod: Pod): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  for (const { state } of pod.status?.containerStatuses ?? []) {
    const reason = state.waiting?.reason ?? (isFinished(pod) ? state.terminated?.reason : undefined);
    if (typeof reason === 'string') return reason;
  }
  if (pod.status?.phase === 'Pending' && pod.spec.nodeName) return 'ContainerCreating';
  return pod.status?.phase ?? 'Unknown';
}

const podReady = (pod: Pod) => {
  const ready = pod.status?.containerStatuses?.filter((one) => one.ready).length ?? 0;
  return `${ready}/${pod.spec.containers.length}`;
};

const readyOf = (ready: string, wanted: (set: Workload) => unknown): Column => ({
  name: 'Ready',
  cell: of<Workload>((set) => `${set.status?.[ready] ?? 0}/${wanted(set) ?? 0}`),
});

/** What `kubectl get` shows of each kind, after pkg/printers/internalversion. */
export const columnsByResource: Readonly<Record<string, readonly Column[]>> = {
  nodes: [
    name,
    { name: 'Status', cell: of<Node>(nodeStatus) },
    { name: 'Roles', cell: nodeRoles },
    ageColumn,
    text('Version', 'status.nodeInfo.kubeletVersion'),
    { name: 'Internal-IP', wide: true, cell: address('InternalIP') },
    { name: 'External-IP', wide: true, cell: address('ExternalIP') },
    text('OS-Image', 'status.nodeInfo.osImage', { wide: true }),
    text('Kernel-Version', 'status.nodeInfo.kernelVersion', { wide: true }),
    text('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', { wide: true }),
  ],
  pods: [
    name,
    { name: 'Ready', cell: of<Pod>(podReady) },
    { name: 'Status', cell: of<Pod>(podStatus) },
    { name: 'Restarts', cell: of<Pod>(({ status }) => `${status?.containerStatuses?.[0]?.restartCount ?? 0}`) },
    ageColumn,
    text('IP', 'status.podIP', { wide: true }),
    text('Node', 'spec.nodeName', { wide: true }),
    text('Nominated Node', 'status.nominatedNodeName', { wide: true }),
    { name: 'Readiness Gates', wide: true, cell: () => '<none>' },
  ],
  namespaces: [name, text('Status', 'status.phase'), ageColumn],
  services: [
    name,
    text('Type', 'spec.type'),
    text('Cluster-IP', 'spec.clusterIP'),
    { name: 'External-IP', cell: () => '<none>' },
    {
      name: 'Port(s)',
      cell: ({ spec }) => {
        const ports = (spec as { ports?: { port: number; protocol?: string }[] }).ports ?? [];
        return ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`).join(',') || '<none>';
      },
    },
    ageColumn,
  ],
  'deployments.apps': [
    name,
    readyOf('readyReplicas', ({ spec }) => spec.replicas),
    number('Up-to-date', ({ status }) => status?.updatedReplicas),
    number('Available', ({ status }) => status?.availableReplicas),
    ageColumn,
    ...containers,
    selectorColumn,
  ],
  'replicasets.apps': [
    name,
    number('Desired', ({ spec }) => spec.replicas),
    number('Current', ({ status }) => status?.replicas),
    number('Ready', ({ status }) => status?.readyReplicas),
    ageColumn,
    ...containers,
    selectorColumn,
  ],
  'statefulsets.apps': [name, readyOf('readyReplicas', ({ spec }) => spec.replicas), ageColumn, ...containers],
  'daemonsets.apps': [
    name,
    number('Desired', ({ status }) => status?.desiredNumberScheduled),
    number('Current', ({ status }) => status?.currentNumberScheduled),
    number('Ready', ({ status }) => status?.numberReady),
    number('Up-to-date', ({ status }) => status?.updatedNumberScheduled),
    number('Available', ({ status }) => status?.numberAvailable),
    {
      name: 'Node Selector',
      cell: of<Workload>(
        ({ spec }) =>
          Object.entries(spec.template.spec.nodeSelector ?? {})
            .map(([key, value]) => `${key}=${value}`)
            .join(',') || '<none>',
      ),
    },
    ageColumn,
    ...containers,
    selectorColumn,
  ],
  'jobs.batch': [
    name,
    {
      name: 'Completions',
      cell: of<Workload>(({ spec, status }) => `${status?.succeeded ?? 0}/${spec.completions ?? 1}`),
    },
    ageColumn,
  ],
  'poddisruptionbudgets.policy': [
    name,
    { name: 'Min Available', cell: of<Budget>(({ spec }) => `${spec.minAvailable ?? 'N/A'}`) },
    { name: 'Max Unavailable', cell: of<Budget>(({ spec }) => `${spec.maxUnavailable ?? 'N/A'}`) },
    { name: 'Allowed Disruptions', type: 'integer', cell: of<Budget>(({ status }) => status?.disruptionsAllowed ?? 0) },
    ageColumn,
  ],
  persistentvolumeclaims: [
    name,
    text('Status', 'status.phase'),
    text('Volume', 'spec.volumeName'),
    text('Capacity', 'status.capacity.storage'),
    text('StorageClass', 'spec.storageClassName'),
    ageColumn,
  ],
  persistentvolumes: [
    name,
    text('Capacity', 'spec.capacity.storage'),
    text('Status', 'status.phase'),
    text('StorageClass', 'spec.storageClassName'),
    ageColumn,
  ],
  'leases.coordination.k8s.io': [name, text('Holder', 'spec.holderIdentity'), ageColumn],
  configmaps: [
    name,
    number('Data', (object) => Object.keys((object.data as object | undefined) ?? {}).length),
    ageColumn,
  ],
  secrets: [
    name,
    text('Type', 'type'),
    number('Data', (object) => Object.keys((object.data as object | undefined) ?? {}).length),
    ageColumn,
  ],
  events: [
    { name: 'Last Seen', cell: age },
    text('Type', 'type'),
    text('Reason', 'reason'),
    {
      name: 'Object',
      cell: (object) =>
        `${String(at(object, 'involvedObject.kind')).toLowerCase()}/${at(object, 'involvedObject.name')}`,
    },
    text('Message', 'message'),
  ],
};
