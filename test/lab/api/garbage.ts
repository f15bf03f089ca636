import { deleteObject, dependentsOf } from './deletion.ts';
import type { KubeObject, Pod } from './objects.ts';
import type { Change, Store } from './store.ts';

/** What vanishes because something else did: dependents, the contents of namespaces, the pods of deleted nodes. */
export class GarbageCollector {
  readonly #store: Store;
  #deleted: KubeObject[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** Remembers deleted objects until the next sync. */
  notice({ type, object }: Change): void {
    if (type === 'DELETED') this.#deleted.push(object);
  }

  sync(): void {
    for (const owner of this.#deleted.splice(0)) {
      if (owner.kind === 'Node') this.#forgetNode(owner);
      this.#deleteDependents(owner);
    }
    for (const resource of this.#store.registry.all) {
      for (const object of this.#store.list(resource)) {
        const { deletionTimestamp, finalizers } = object.metadata;
        if (deletionTimestamp && finalizers?.includes('foregroundDeletion')) this.#finishForeground(object);
      }
    }
    for (const namespace of this.#store.list('namespaces')) {
      if (namespace.metadata.deletionTimestamp) this.#empty(namespace);
    }
  }

  /**
   * Owner references to something that never existed here are left alone: tests seed such pods on purpose, to look like
   * the moment between the owner's deletion and the collection.
   */
  #deleteDependents(owner: KubeObject): void {
    for (const [resource, dependent] of dependentsOf(this.#store, owner)) {
      const others = dependent.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
      if (others.some(({ uid }) => this.#exists(uid)) || dependent.metadata.deletionTimestamp) continue;
      deleteObject(this.#store, resource, dependent.metadata.name, dependent.metadata.namespace ?? '', {});
    }
  }

  #exists(uid: string): boolean {
    return this.#store.registry.all.some((r) => this.#store.list(r).some((object) => object.metadata.uid === uid));
  }

  #finishForeground(owner: KubeObject): void {
    const { name, namespace = '' } = owner.metadata;
    if (dependentsOf(this.#store, owner).length > 0) {
      this.#deleteDependents(owner);
      return;
    }
    const resource = this.#store.resourceOf(owner);
    const rest = owner.metadata.finalizers?.filter((finalizer) => finalizer !== 'foregroundDeletion') ?? [];
    if (rest.length === 0) this.#store.remove(resource, name, namespace);
    else {
      this.#store.update(resource, name, namespace, (draft) => {
        draft.metadata.finalizers = rest;
      });
    }
  }

  #empty(namespace: KubeObject): void {
    const contents = this.#store.registry.all
      .filter((resource) => resource.namespaced)
      .flatMap((resource) =>
        this.#store.list(resource, namespace.metadata.name).map((object) => ({ resource, object })),
      );
    for (const { resource, object } of contents) {
      if (object.metadata.deletionTimestamp) continue;
      deleteObject(this.#store, resource, object.metadata.name, namespace.metadata.name, {});
    }
    if (contents.length === 0) this.#store.remove('namespaces', namespace.metadata.name);
  }

  #forgetNode(node: KubeObject): void {
    const { name } = node.metadata;
    this.#store.remove('leases', name, 'kube-node-lease');
    for (const pod of this.#store.list<Pod>('pods')) {
      if (pod.spec.nodeName === name) this.#store.remove('pods', pod.metadata.name, pod.metadata.namespace);
    }
  }
}
