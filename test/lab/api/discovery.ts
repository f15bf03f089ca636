import type { Registry, Resource } from './resources.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const AGGREGATED = /g=apidiscovery\.k8s\.io;v=(v2(?:beta1)?);as=APIGroupDiscoveryList/;

/** Kinds that exist only to be posted. */
const REVIEWS = [
  { plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
  { plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
];
export const REVIEW_GROUP = 'authorization.k8s.io';

interface Served {
  name: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  short: readonly string[];
  categories: readonly string[];
  subresources: { name: string; kind: string; group: string; version: string; verbs: string[] }[];
}

function servedBy(registry: Registry, group: string, version: string): Served[] {
  if (group === REVIEW_GROUP) {
    return REVIEWS.map(({ plural, kind }) => ({
      ...{ name: plural, singular: kind.toLowerCase(), kind, namespaced: false, verbs: ['create'] },
      ...{ short: [], categories: [], subresources: [] },
    }));
  }
  return registry.all
    .filter((resource) => resource.group === group && resource.versions.includes(version))
    .map((resource) => ({
      name: resource.plural,
      singular: resource.kind.toLowerCase(),
      kind: resource.kind,
      namespaced: resource.namespaced,
      verbs: VERBS,
      short: resource.short ?? [],
      categories: resource.categories ?? [],
      subresources: subresourcesOf(resource, version),
    }));
}

function subresourcesOf(resource: Resource, version: string): Served['subresources'] {
  const { group, kind, status, scale, subresources = [] } = resource;
  return [
    ...(status ? [{ name: 'status', kind, group, version, verbs: ['get', 'patch', 'update'] }] : []),
    ...(scale
      ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] }]
      : []),
    ...subresources.map((one) => ({ ...one, verbs: one.name === 'log' ? ['get'] : ['create'] })),
  ];
}

function groupsOf(registry: Registry): { name: string; versions: string[] }[] {
  const names = registry.groups().filter((group) => group !== '');
  return [
    ...names.map((name) => ({ name, versions: registry.versionsOf(name) })),
    { name: REVIEW_GROUP, versions: ['v1'] },
  ];
}

/** What the discovery paths answer, in the old and in the aggregated form; undefined for other paths. */
export function discover(
  registry: Registry,
  path: string,
  accept: string,
): { body: object; type?: string } | undefined {
  const aggregated = AGGREGATED.exec(accept)?.[1];
  if (aggregated && (path === '/api' || path === '/apis')) {
    const groups = path === '/api' ? [{ name: '', versions: ['v1'] }] : groupsOf(registry);
    const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`;
    return { body: aggregatedGroups(registry, groups, aggregated), type };
  }
  if (path === '/api') {
    return { body: { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] } };
  }
  if (path === '/apis') {
    return { body: { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(registry).map(groupObject) } };
  }
  const group = groupsOf(registry).find(({ name }) => path === `/apis/${name}`);
  if (group) return { body: { kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group) } };
  const [, name = '', version = ''] = /^\/apis\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const known = groupsOf(registry).some((one) => one.name === name && one.versions.includes(version));
  if (path === '/api/v1') return { body: resourceList(registry, '', 'v1') };
  return known ? { body: resourceList(registry, name, version) } : undefined;
}

function groupObject({ name, versions }: { name: string; versions: string[] }) {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

function resourceList(registry: Registry, group: string, version: string): object {
  const resources = servedBy(registry, group, version).flatMap((served) => [
    {
      name: served.name,
      singularName: served.singular,
      namespaced: served.namespaced,
      kind: served.kind,
      verbs: served.verbs,
      ...(served.short.length > 0 ? { shortNames: served.short } : {}),
      ...(served.categories.length > 0 ? { categories: served.categories } : {}),
    },
    ...served.subresources.map((sub) => ({
      name: `${served.name}/${sub.name}`,
      singularName: '',
      namespaced: served.namespaced,
      kind: sub.kind,
      ...(sub.group === group && sub.version === version ? {} : { group: sub.group, version: sub.version }),
      verbs: sub.verbs,
    })),
  ]);
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function aggregatedGroups(registry: Registry, groups: { name: string; versions: string[] }[], api: string): object {
  const items = groups.map(({ name, versions }) => ({
    metadata: { name, creationTimestamp: null },
    versions: versions.map((version) => ({
      version,
      freshness: 'Current',
      resources: servedBy(registry, name, version).map((served) => ({
        resource: served.name,
        responseKind: { group: name, version, kind: served.kind },
        scope: served.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: served.singular,
        verbs: served.verbs,
        shortNames: served.short,
        categories: served.categories,
        subresources: served.subresources.map((sub) => ({
          subresource: sub.name,
          responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
          verbs: sub.verbs,
        })),
      })),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${api}`, metadata: {}, items };
}

/** The index and the documents of /openapi/v3: enough for kubectl to see that the server validates fields itself. */
export function openApiV3(registry: Registry, path: string): object | undefined {
  const versions = registry
    .groups()
    .flatMap((group) => registry.versionsOf(group).map((version) => ({ group, version })));
  const pathOf = ({ group, version }: { group: string; version: string }) =>
    group === '' ? `api/${version}` : `apis/${group}/${version}`;
  if (path === '/openapi/v3') {
    const paths = versions.map((one) => [pathOf(one), { serverRelativeURL: `/openapi/v3/${pathOf(one)}` }]);
    return { paths: Object.fromEntries(paths) };
  }
  const found = versions.find((one) => path === `/openapi/v3/${pathOf(one)}`);
  if (!found) return undefined;
  const resources = registry.all.filter((r) => r.group === found.group && r.versions.includes(found.version));
  const info = { title: 'reeve lab', version: 'v1' };
  const paths = resources.map((resource) => patchPath(resource, found.version));
  return { openapi: '3.0.0', info, paths: Object.fromEntries(paths), components: { schemas: {} } };
}

/** The swagger document, with no definitions: clients then leave the validation to the server. */
export function openApiV2(registry: Registry): object {
  const paths = registry.all.flatMap((resource) => resource.versions.map((version) => patchPath(resource, version)));
  return {
    swagger: '2.0',
    info: { title: 'reeve lab', version: 'v1' },
    paths: Object.fromEntries(paths),
    definitions: {},
  };
}

function patchPath(resource: Resource, version: string): [string, object] {
  const base = resource.group === '' ? `/api/${version}` : `/apis/${resource.group}/${version}`;
  const namespace = resource.namespaced ? '/namespaces/{namespace}' : '';
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }));
  const patch = {
    parameters,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: resource.group, version, kind: resource.kind },
  };
  return [`${base}${namespace}/${resource.plural}/{name}`, { patch }];
}

/** The answer of /version for a version such as v1.31.5+k3s1. */
export function versionInfo(version: string): object {
  const [, major = '1', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return {
    major,
    minor,
    gitVersion: version,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '2025-01-01T00:00:00Z',
    goVersion: 'go1.23.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}
