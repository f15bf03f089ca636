/** One row of the API: where a kind lives and what it can do. */
export interface Resource {
  group: string;
  /** Served versions, the preferred (and stored) one first. */
  versions: readonly string[];
  plural: string;
  kind: string;
  namespaced: boolean;
  short?: readonly string[];
  /** `all` puts it into `kubectl get all`. */
  categories?: readonly string[];
  status?: boolean;
  scale?: boolean;
  /** A custom resource: the API takes no strategic merge patches for it. */
  custom?: boolean;
  /** Subresources beyond status and scale. */
  subresources?: readonly { name: string; kind: string; group: string; version: string }[];
}

const core = (plural: string, kind: string, more: Partial<Resource> = {}): Resource => ({
  group: '',
  versions: ['v1'],
  plural,
  kind,
  namespaced: true,
  ...more,
});

const builtIn = (group: string, plural: string, kind: string, more: Partial<Resource> = {}): Resource => ({
  ...core(plural, kind, more),
  group,
});

/** A row for a custom resource with a status subresource. */
export function customResource(
  group: string,
  version: string,
  plural: string,
  kind: string,
  more: Partial<Resource> = {},
): Resource {
  return { group, versions: [version], plural, kind, namespaced: true, status: true, custom: true, ...more };
}

const eviction = (version: string) => ({ name: 'eviction', kind: 'Eviction', group: 'policy', version });

/** What a k3s cluster serves, as far as reeve looks at it. */
export const builtInResources: readonly Resource[] = [
  core('nodes', 'Node', { namespaced: false, short: ['no'], status: true }),
  core('pods', 'Pod', {
    short: ['po'],
    categories: ['all'],
    status: true,
    subresources: [
      eviction('v1'),
      { name: 'binding', kind: 'Binding', group: '', version: 'v1' },
      { name: 'log', kind: 'Pod', group: '', version: 'v1' },
    ],
  }),
  core('namespaces', 'Namespace', { namespaced: false, short: ['ns'], status: true }),
  core('services', 'Service', { short: ['svc'], categories: ['all'], status: true }),
  core('endpoints', 'Endpoints', { short: ['ep'] }),
  core('configmaps', 'ConfigMap', { short: ['cm'] }),
  core('secrets', 'Secret'),
  core('events', 'Event', { short: ['ev'] }),
  core('persistentvolumes', 'PersistentVolume', { namespaced: false, short: ['pv'], status: true }),
  core('persistentvolumeclaims', 'PersistentVolumeClaim', { short: ['pvc'], status: true }),
  core('serviceaccounts', 'ServiceAccount', { short: ['sa'] }),
  builtIn('apps', 'deployments', 'Deployment', { short: ['deploy'], categories: ['all'], status: true, scale: true }),
  builtIn('apps', 'replicasets', 'ReplicaSet', { short: ['rs'], categories: ['all'], status: true, scale: true }),
  builtIn('apps', 'statefulsets', 'StatefulSet', { short: ['sts'], categories: ['all'], status: true, scale: true }),
  builtIn('apps', 'daemonsets', 'DaemonSet', { short: ['ds'], categories: ['all'], status: true }),
  builtIn('batch', 'jobs', 'Job', { categories: ['all'], status: true }),
  builtIn('batch', 'cronjobs', 'CronJob', { short: ['cj'], categories: ['all'], status: true }),
  builtIn('policy', 'poddisruptionbudgets', 'PodDisruptionBudget', {
    versions: ['v1', 'v1beta1'],
    short: ['pdb'],
    status: true,
  }),
  builtIn('coordination.k8s.io', 'leases', 'Lease'),
  builtIn('storage.k8s.io', 'storageclasses', 'StorageClass', { namespaced: false, short: ['sc'] }),
  customResource('k3s.cattle.io', 'v1', 'addons', 'Addon'),
  customResource('k3s.cattle.io', 'v1', 'etcdsnapshotfiles', 'ETCDSnapshotFile', { namespaced: false }),
  customResource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    namespaced: false,
    short: ['crd', 'crds'],
  }),
];

/**
 * The built-in resources of a server that takes evictions of that version of policy, or none: clients then fall back to
 * the older version or to plain deletes.
 */
export function resourcesWithEviction(version: 'v1' | 'v1beta1' | 'none'): readonly Resource[] {
  return builtInResources.map((resource) => {
    const others = resource.subresources?.filter(({ name }) => name !== 'eviction');
    if (keyOf(resource) === 'pods' && others) {
      return { ...resource, subresources: version === 'none' ? others : [eviction(version), ...others] };
    }
    if (keyOf(resource) === 'poddisruptionbudgets.policy' && version === 'v1beta1') {
      return { ...resource, versions: ['v1beta1'] };
    }
    return resource;
  });
}

/** Pass these to startApi for a cluster that has Longhorn. */
export const longhornResources: readonly Resource[] = [
  customResource('longhorn.io', 'v1beta2', 'nodes', 'Node', { short: ['lhn'] }),
  customResource('longhorn.io', 'v1beta2', 'volumes', 'Volume', { short: ['lhv'] }),
  customResource('longhorn.io', 'v1beta2', 'replicas', 'Replica', { short: ['lhr'] }),
  customResource('longhorn.io', 'v1beta2', 'engines', 'Engine', { short: ['lhe'] }),
  customResource('longhorn.io', 'v1beta2', 'snapshots', 'Snapshot', { short: ['lhsnap'] }),
  customResource('longhorn.io', 'v1beta2', 'backups', 'Backup', { short: ['lhb'] }),
  customResource('longhorn.io', 'v1beta2', 'settings', 'Setting', { short: ['lhs'] }),
];

/** Pass these to startApi for a cluster that has Flux. */
export const fluxResources: readonly Resource[] = [
  customResource('source.toolkit.fluxcd.io', 'v1', 'gitrepositories', 'GitRepository', { short: ['gitrepo'] }),
  customResource('kustomize.toolkit.fluxcd.io', 'v1', 'kustomizations', 'Kustomization', { short: ['ks'] }),
  customResource('helm.toolkit.fluxcd.io', 'v2', 'helmreleases', 'HelmRelease', { short: ['hr'] }),
];

/** `group/version`, or the bare version for the core group. */
export function apiVersionOf(resource: Resource, version = resource.versions[0]!): string {
  return resource.group === '' ? version : `${resource.group}/${version}`;
}

/** `plural` for the core group, else `plural.group`. */
export function keyOf(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** The resources of one API, looked up by path, by name or by kind. */
export class Registry {
  readonly all: Resource[] = [];

  constructor(...lists: readonly (readonly Resource[])[]) {
    for (const list of lists) this.all.push(...list);
  }

  add(resource: Resource): void {
    if (!this.at(resource.group, resource.versions[0]!, resource.plural)) this.all.push(resource);
  }

  at(group: string, version: string, plural: string): Resource | undefined {
    return this.all.find((r) => r.group === group && r.plural === plural && r.versions.includes(version));
  }

  /** By `pods` or `nodes.longhorn.io`; a bare plural means the first group that has it. @throws TypeError if unknown */
  named(name: string): Resource {
    const found = this.all.find((r) => keyOf(r) === name) ?? this.all.find((r) => r.plural === name);
    if (!found) throw new TypeError(`the lab's API has no resource "${name}"`);
    return found;
  }

  /** By an object's apiVersion and kind. */
  ofKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all.find(
      (r) => r.kind === kind && r.versions.some((version) => apiVersionOf(r, version) === apiVersion),
    );
  }

  groups(): string[] {
    return [...new Set(this.all.map((r) => r.group))];
  }

  /** The versions of a group, the preferred first. */
  versionsOf(group: string): string[] {
    return [...new Set(this.all.filter((r) => r.group === group).flatMap((r) => r.versions))];
  }
}
