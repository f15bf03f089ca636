import { randomUUID } from 'node:crypto';
import {
  alreadyExists,
  badRequest,
  conflict,
  methodNotAllowed,
  notFound,
  type Status,
  unsupportedMediaType,
} from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { type DeleteOptions, deleteObject } from './deletion.ts';
import { evict, evictionOptions } from './evictions.ts';
import { type KubeObject, type Pod, setCondition, timestamp } from './objects.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patch.ts';
import { type ObjectRequest, readBody } from './request.ts';
import { apiVersionOf, keyOf, type Resource } from './resources.ts';
import { scaleOf, withReplicas } from './scale.ts';
import { canonical, type Store } from './store.ts';
import { admitToNamespace, validate } from './validation.ts';
import { nameSuffix } from './workloads.ts';

export interface Answer {
  code: number;
  body: KubeObject | Status;
}

// Kinds that a client may create with a status; for the others the API begins with an empty one.
const KEEP_STATUS = ['nodes'];

/** POST of an object. @throws ApiError as the API would answer */
export function create(cluster: Cluster, request: ObjectRequest): Answer {
  const { store } = cluster;
  const { resource, namespace = '', dryRun } = request;
  const body = objectFrom(request);
  const { generateName } = body.metadata;
  if (!body.metadata.name && generateName) body.metadata.name = generateName + nameSuffix();
  validate(resource, body);
  if (resource.namespaced) admitToNamespace(store, resource, body.metadata.name, namespace);
  const { uid: _, resourceVersion: _rv, creationTimestamp: _at, deletionTimestamp: _end, ...metadata } = body.metadata;
  const object = withDefaults(resource, { ...body, metadata });
  if (dryRun) {
    if (store.get(resource, object.metadata.name, namespace)) throw alreadyExists(resource, object.metadata.name);
    return {
      code: 201,
      body: { ...object, metadata: { ...object.metadata, uid: randomUUID(), creationTimestamp: timestamp() } },
    };
  }
  return { code: 201, body: store.add(object, resource) };
}

function objectFrom(request: ObjectRequest): KubeObject {
  const { resource, version, namespace, name } = request;
  const body = readBody(request) as Partial<KubeObject>;
  const given = { apiVersion: apiVersionOf(resource, version), kind: resource.kind, ...body };
  if (given.kind !== resource.kind || given.apiVersion !== apiVersionOf(resource, version)) {
    const wanted = `${apiVersionOf(resource, version)}, Kind=${resource.kind}`;
    throw badRequest(
      `${given.kind} in version "${given.apiVersion}" cannot be handled as a ${resource.kind}: expected ${wanted}`,
    );
  }
  const metadata = { ...given.metadata } as KubeObject['metadata'];
  if (namespace !== undefined && (metadata.namespace ?? namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name !== undefined && (metadata.name ?? name) !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  return {
    ...given,
    metadata: { ...metadata, ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) },
  } as KubeObject;
}

function withDefaults(resource: Resource, object: KubeObject): KubeObject {
  const key = keyOf(resource);
  const { status, ...rest } = object;
  const fresh: KubeObject = (resource.status && !KEEP_STATUS.includes(key) ? rest : object) as KubeObject;
  if (key === 'pods') {
    const spec = {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      ...(object.spec as object),
    };
    return { ...fresh, spec, status: { phase: 'Pending', qosClass: 'BestEffort' } };
  }
  if (key === 'namespaces') {
    const labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels };
    return {
      ...fresh,
      metadata: { ...object.metadata, labels },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    };
  }
  if (resource.group === 'apps' && key !== 'daemonsets.apps')
    return { ...fresh, spec: { replicas: 1, ...(object.spec as object) } };
  return fresh;
}

/** PUT of an object or of its status or scale. @throws ApiError as the API would answer */
export function update(cluster: Cluster, request: ObjectRequest): Answer {
  const current = existing(cluster.store, request);
  if (request.subresource === 'scale') {
    return storeScale(cluster.store, request, current, readBody(request));
  }
  return { code: 200, body: write(cluster.store, request, current, objectFrom(request)) };
}

/** PATCH in any of the four dialects. @throws ApiError as the API would answer */
export function patch(cluster: Cluster, request: ObjectRequest): Answer {
  const { store } = cluster;
  const { resource, name = '', namespace = '', contentType } = request;
  const type = contentType.split(';')[0]?.trim() ?? '';
  const applies = type === 'application/apply-patch+yaml';
  const current = store.get(resource, name, namespace);
  if (!current && applies && !request.subresource) return create(cluster, request);
  if (!current) throw notFound(resource, name);
  const change = (
    applies ? stripApply(readBody({ ...request, contentType: 'application/yaml' })) : readBody(request)
  ) as never;
  const target = (
    request.subresource === 'scale' ? scaleOf(current) : atVersion(current, resource, request.version)
  ) as never;
  const patched = patcher(type, resource)(target, change);
  if (request.subresource === 'scale') return storeScale(store, request, current, patched);
  return { code: 200, body: write(store, request, current, patched as unknown as KubeObject) };
}

function stripApply(body: unknown): unknown {
  const { metadata, ...rest } = body as KubeObject;
  const { managedFields: _, ...kept } = metadata as KubeObject['metadata'] & { managedFields?: unknown };
  return { ...rest, metadata: kept };
}

function patcher(type: string, resource: Resource): (target: never, patch: never) => unknown {
  if (type === 'application/json-patch+json') return jsonPatch;
  if (type === 'application/merge-patch+json') return mergePatch;
  // Custom resources apply with their schema; without one, lists are replaced as in a merge patch.
  if (type === 'application/apply-patch+yaml') return resource.custom ? mergePatch : strategicMergePatch;
  if (type === 'application/strategic-merge-patch+json' && !resource.custom) return strategicMergePatch;
  throw unsupportedMediaType([
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(resource.custom ? [] : ['application/strategic-merge-patch+json']),
    'application/apply-patch+yaml',
  ]);
}

function existing(store: Store, { resource, name = '', namespace = '' }: ObjectRequest): KubeObject {
  const found = store.get(resource, name, namespace);
  if (!found) throw notFound(resource, name);
  return found;
}

/** Stores a changed object; each request may change only its half of it: the status, or all the rest. */
function write(store: Store, request: ObjectRequest, current: KubeObject, wanted: KubeObject): KubeObject {
  const { resource, subresource, dryRun } = request;
  const fixed = current.metadata;
  if (wanted.metadata.uid && wanted.metadata.uid !== fixed.uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.metadata.uid}, UID in object meta: ${fixed.uid}`;
    throw conflict(resource, fixed.name, why);
  }
  const next: KubeObject =
    subresource === 'status'
      ? {
          ...current,
          status: wanted.status,
          metadata: { ...fixed, resourceVersion: wanted.metadata.resourceVersion ?? '' },
        }
      : { ...wanted, ...(resource.status ? { status: current.status } : {}), metadata: keepFixed(wanted, current) };
  if (subresource !== 'status') validate(resource, next);
  if (dryRun) {
    const { resourceVersion } = next.metadata;
    if (resourceVersion && resourceVersion !== fixed.resourceVersion) return store.replace(next, resource);
    return { ...next, metadata: { ...next.metadata, resourceVersion: fixed.resourceVersion ?? '' } };
  }
  const stored = store.replace(next, resource);
  const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0, finalizers = [] } = stored.metadata;
  if (deletionTimestamp && grace === 0 && finalizers.length === 0) store.remove(resource, fixed.name, fixed.namespace);
  return stored;
}

function keepFixed(wanted: KubeObject, { metadata: fixed, spec }: KubeObject): KubeObject['metadata'] {
  const {
    deletionTimestamp: _,
    deletionGracePeriodSeconds: _grace,
    generation: _generation,
    ...free
  } = wanted.metadata;
  const changed = canonical(wanted.spec) !== canonical(spec);
  return {
    ...free,
    name: fixed.name,
    uid: fixed.uid!,
    creationTimestamp: fixed.creationTimestamp!,
    ...(fixed.generation === undefined ? {} : { generation: fixed.generation + (changed ? 1 : 0) }),
    ...(fixed.deletionTimestamp ? { deletionTimestamp: fixed.deletionTimestamp } : {}),
    ...(fixed.deletionGracePeriodSeconds === undefined
      ? {}
      : { deletionGracePeriodSeconds: fixed.deletionGracePeriodSeconds }),
  };
}

function storeScale(store: Store, request: ObjectRequest, current: KubeObject, scale: unknown): Answer {
  if (!request.resource.scale) throw methodNotAllowed();
  const next = withReplicas(current, scale);
  return { code: 200, body: scaleOf(request.dryRun ? next : store.replace(next, request.resource)) };
}

/** DELETE of one object. @throws ApiError as the API would answer */
export function remove(cluster: Cluster, request: ObjectRequest): Answer {
  const { resource, name = '', namespace = '' } = request;
  return { code: 200, body: deleteObject(cluster.store, resource, name, namespace, deleteOptions(request)) };
}

/** Options from the body, then from the query, as the API reads them. */
export function deleteOptions(request: ObjectRequest): DeleteOptions {
  const { dryRun, ...body } = readBody(request) as Omit<DeleteOptions, 'dryRun'> & { dryRun?: string[] };
  const grace = request.query.get('gracePeriodSeconds');
  const propagation = request.query.get('propagationPolicy');
  return {
    ...body,
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(propagation === null ? {} : { propagationPolicy: propagation }),
    dryRun: request.dryRun || dryRun?.includes('All') === true,
  };
}

/** POST of an Eviction to pods/NAME/eviction. @throws ApiError as the API would answer */
export function createEviction(cluster: Cluster, request: ObjectRequest): Answer {
  const { store } = cluster;
  const pod = existing(store, request) as Pod;
  admitToNamespace(store, request.resource, pod.metadata.name, pod.metadata.namespace ?? '');
  const options = evictionOptions(readBody(request), pod.metadata.name, request.dryRun);
  cluster.syncBudgets();
  return { code: 201, body: evict(store, pod, options) };
}

/** POST of a Binding: the scheduler's way to put a pod on a node. @throws ApiError as the API would answer */
export function bind(cluster: Cluster, request: ObjectRequest): Answer {
  const { target } = readBody(request) as { target?: { name?: string } };
  const pod = existing(cluster.store, request) as Pod;
  if (pod.spec.nodeName)
    throw conflict(
      request.resource,
      pod.metadata.name,
      `pod ${pod.metadata.name} is already assigned to node "${pod.spec.nodeName}"`,
    );
  if (!request.dryRun) {
    cluster.store.update<Pod>('pods', pod.metadata.name, pod.metadata.namespace ?? '', (draft) => {
      draft.spec.nodeName = target?.name ?? '';
      draft.status ??= { phase: 'Pending' };
      draft.status.conditions ??= [];
      setCondition(draft.status.conditions, { type: 'PodScheduled', status: 'True' });
    });
  }
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

/** The object as the asked version shows it; the versions of every kind here differ only in name. */
export function atVersion<T extends KubeObject>(object: T, resource: Resource, version: string): T {
  const apiVersion = apiVersionOf(resource, version);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
