import { conflict, notFound, type Status, success } from './api-error.ts';
import { isFinished, type KubeObject, type Pod, timestamp } from './objects.ts';
import { keyOf, type Resource } from './resources.ts';
import type { Store } from './store.ts';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

// These answer a delete with the object, the others with a Status (ReturnDeletedObject in pkg/registry).
const RETURN_OBJECT = ['pods', 'persistentvolumes', 'persistentvolumeclaims', 'serviceaccounts', 'services'];

/**
 * Deletes at once, or marks the object as being deleted when finalizers or a pod's grace period hold it back.
 * @throws ApiError 404, or 409 when a precondition does not hold
 */
export function deleteObject(
  store: Store,
  resource: Resource,
  name: string,
  namespace: string,
  options: DeleteOptions,
): KubeObject | Status {
  const object = store.get(resource, name, namespace);
  if (!object) throw notFound(resource, name);
  checkPreconditions(resource, object, options);
  const grace = gracePeriod(resource, object, options);
  const finalizers = finalizersAfter(resource, object, options);
  if (grace > 0 || finalizers.length > 0) {
    const marked = markDeleted(object, grace, finalizers);
    return options.dryRun ? marked : store.replace(marked, resource);
  }
  const orphan = options.propagationPolicy === 'Orphan' || options.orphanDependents === true;
  if (!options.dryRun) {
    if (orphan) orphanDependents(store, object);
    store.remove(resource, name, namespace);
  }
  const group = resource.group === '' ? {} : { group: resource.group };
  return RETURN_OBJECT.includes(keyOf(resource))
    ? object
    : success({ name, ...group, kind: resource.plural, uid: object.metadata.uid! });
}

function checkPreconditions(resource: Resource, object: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion, name } = object.metadata;
  const wanted = preconditions ?? {};
  if (wanted.uid && wanted.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`;
    throw conflict(resource, name, why);
  }
  if (wanted.resourceVersion && wanted.resourceVersion !== resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    throw conflict(resource, name, why);
  }
}

/** Only pods end gracefully; one that no kubelet runs, or that has finished, goes at once (pkg/registry/core/pod). */
function gracePeriod(resource: Resource, object: KubeObject, options: DeleteOptions): number {
  if (keyOf(resource) !== 'pods') return 0;
  const pod = object as Pod;
  if (!pod.spec.nodeName || isFinished(pod)) return 0;
  const wanted = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  // A second delete may shorten the period, never lengthen it.
  return Math.min(Math.max(wanted, wanted < 0 ? 1 : 0), pod.metadata.deletionGracePeriodSeconds ?? Infinity);
}

function finalizersAfter(resource: Resource, object: KubeObject, { propagationPolicy }: DeleteOptions): string[] {
  const finalizers = object.metadata.finalizers ?? [];
  // A namespace is emptied first; the namespace controller takes the finalizer off.
  if (keyOf(resource) === 'namespaces') return [...new Set([...finalizers, 'kubernetes'])];
  return propagationPolicy === 'Foreground' ? [...new Set([...finalizers, 'foregroundDeletion'])] : finalizers;
}

function markDeleted(object: KubeObject, grace: number, finalizers: string[]): KubeObject {
  const marked = structuredClone(object);
  const meta = marked.metadata;
  if (finalizers.length > 0) meta.finalizers = finalizers;
  const shorter = meta.deletionGracePeriodSeconds !== undefined && grace < meta.deletionGracePeriodSeconds;
  if (!meta.deletionTimestamp || shorter) {
    meta.deletionTimestamp = timestamp(new Date(Date.now() + grace * 1000));
    meta.deletionGracePeriodSeconds = grace;
    if (!shorter && meta.generation !== undefined) meta.generation++;
  }
  if (marked.kind === 'Namespace') marked.status = { ...(marked.status as object), phase: 'Terminating' };
  return marked;
}

function orphanDependents(store: Store, owner: KubeObject): void {
  for (const [resource, dependent] of dependentsOf(store, owner)) {
    store.update(resource, dependent.metadata.name, dependent.metadata.namespace ?? '', (draft) => {
      const rest = draft.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
      if (rest.length > 0) draft.metadata.ownerReferences = rest;
      else delete draft.metadata.ownerReferences;
    });
  }
}

/** All objects with an owner reference to this one. */
export function dependentsOf(store: Store, owner: KubeObject): [Resource, KubeObject][] {
  return store.registry.all.flatMap((resource) =>
    store
      .list(resource)
      .filter((object) => object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid))
      .map((object): [Resource, KubeObject] => [resource, object]),
  );
}
