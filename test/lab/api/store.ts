import { randomUUID } from 'node:crypto';
import { alreadyExists, notFound, staleObject } from './api-error.ts';
import { type KubeObject, timestamp } from './objects.ts';
import { apiVersionOf, keyOf, type Registry, type Resource } from './resources.ts';

/** One change, as a watch reports it. */
export interface Change {
  revision: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: Resource;
  object: KubeObject;
  /** What the object was before; watches with a selector need it. */
  previous?: KubeObject;
}

const HISTORY = 20_000;

/**
 * All objects of the cluster and their recent history: the part etcd plays. Objects that come out are frozen and shared;
 * who changes one goes through {@link Store.update} or replaces it whole.
 */
export class Store {
  readonly registry: Registry;
  #revision = 1;
  #oldest = 1;
  #tables = new Map<string, Map<string, KubeObject>>();
  /** What {@link list} sorted before, until the table changes. */
  #sorted = new Map<string, KubeObject[]>();
  #history: Change[] = [];
  #listeners = new Set<(change: Change) => void>();

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** The revision of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision that a watch can still start from. */
  get oldestRevision(): number {
    return this.#oldest;
  }

  get<T extends KubeObject>(kind: string | Resource, name: string, namespace = ''): T | undefined {
    return this.#table(kind).get(`${namespace}/${name}`) as T | undefined;
  }

  /** Sorted by namespace and name, as etcd keeps keys; all namespaces unless one is given. */
  list<T extends KubeObject>(kind: string | Resource, namespace?: string): T[] {
    const resource = typeof kind === 'string' ? this.registry.named(kind) : kind;
    const key = keyOf(resource);
    let sorted = this.#sorted.get(key);
    if (!sorted) {
      sorted = [...this.#table(resource)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
      this.#sorted.set(key, sorted);
    }
    return sorted.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace) as T[];
  }

  /**
   * Adds an object as it is; what it lacks of uid, creationTimestamp and generation is filled in.
   * @throws ApiError 409 when it is there already
   */
  add<T extends KubeObject>(object: T, resource = this.resourceOf(object)): T {
    const table = this.#table(resource);
    const key = keyWithin(resource, object);
    if (table.has(key)) throw alreadyExists(resource, object.metadata.name);
    const { namespace, ...metadata } = object.metadata;
    const complete: KubeObject = {
      ...object,
      metadata: {
        ...metadata,
        ...(resource.namespaced ? { namespace: namespace ?? 'default' } : {}),
        uid: metadata.uid ?? randomUUID(),
        creationTimestamp: metadata.creationTimestamp ?? timestamp(),
        ...(countsGenerations(resource) ? { generation: metadata.generation ?? 1 } : {}),
      },
    };
    return this.#record('ADDED', resource, complete, undefined) as T;
  }

  /**
   * Puts an object in the place of the one of that name. Nothing happens, not even a new revision, when they are equal.
   * @throws ApiError 404 when there is none, 409 when the object carries another resourceVersion
   */
  replace<T extends KubeObject>(object: T, resource = this.resourceOf(object)): T {
    const previous = this.#table(resource).get(keyWithin(resource, object));
    if (!previous) throw notFound(resource, object.metadata.name);
    const { resourceVersion } = object.metadata;
    if (resourceVersion && resourceVersion !== previous.metadata.resourceVersion) {
      throw staleObject(resource, object.metadata.name);
    }
    return this.#record('MODIFIED', resource, object, previous) as T;
  }

  /** Applies a function to a private copy and stores that; undefined when there is no such object. */
  update<T extends KubeObject>(kind: string | Resource, name: string, namespace: string, change: (draft: T) => void) {
    const current = this.get<T>(kind, name, namespace);
    if (!current) return undefined;
    const draft = structuredClone(current);
    change(draft);
    return this.replace(draft, typeof kind === 'string' ? this.registry.named(kind) : kind);
  }

  /** Removes an object whatever its finalizers say; undefined when there was none. */
  remove(kind: string | Resource, name: string, namespace = ''): KubeObject | undefined {
    const resource = typeof kind === 'string' ? this.registry.named(kind) : kind;
    const previous = this.#table(resource).get(`${namespace}/${name}`);
    return previous && this.#record('DELETED', resource, previous, previous);
  }

  /** Changes after a revision, in order. */
  since(revision: number): Change[] {
    return this.#history.filter((change) => change.revision > revision);
  }

  /** Forgets the history: watches from an older revision than now get 410 Gone. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#revision;
  }

  /** Calls back at each change until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws TypeError when the lab's API has no such kind */
  resourceOf(object: KubeObject): Resource {
    const resource = this.registry.ofKind(object.apiVersion, object.kind);
    if (!resource) throw new TypeError(`the lab's API has no kind ${object.kind} in ${object.apiVersion}`);
    return resource;
  }

  #table(kind: string | Resource): Map<string, KubeObject> {
    const key = keyOf(typeof kind === 'string' ? this.registry.named(kind) : kind);
    let table = this.#tables.get(key);
    if (!table) {
      table = new Map();
      this.#tables.set(key, table);
    }
    return table;
  }

  #record(type: Change['type'], resource: Resource, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const next = { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata } as KubeObject;
    if (type === 'MODIFIED' && previous && sameApartFromRevision(previous, next)) return previous;
    const revision = ++this.#revision;
    const stored = deepFreeze(structuredClone(next));
    const withRevision = Object.freeze({
      ...stored,
      metadata: Object.freeze({ ...stored.metadata, resourceVersion: `${revision}` }),
    });
    const key = keyWithin(resource, withRevision);
    if (type === 'DELETED') this.#table(resource).delete(key);
    else this.#table(resource).set(key, withRevision);
    this.#sorted.delete(keyOf(resource));
    const change: Change = { revision, type, resource, object: withRevision, ...(previous ? { previous } : {}) };
    this.#history.push(change);
    if (this.#history.length > HISTORY) this.#oldest = this.#history.shift()!.revision;
    for (const listener of this.#listeners) listener(change);
    return withRevision;
  }
}

function keyWithin(resource: Resource, object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return resource.namespaced ? `${namespace ?? 'default'}/${name}` : `/${name}`;
}

/** Core kinds and leases have no generation (pods got one in 1.33). */
function countsGenerations({ group, custom }: Resource): boolean {
  return custom === true || ['apps', 'batch', 'policy'].includes(group);
}

function sameApartFromRevision(a: KubeObject, b: KubeObject): boolean {
  const { resourceVersion: _a, ...metadata } = a.metadata;
  const { resourceVersion: _b, ...others } = b.metadata;
  return canonical({ ...a, metadata }) === canonical({ ...b, metadata: others });
}

/** JSON with sorted keys: equal text means equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
