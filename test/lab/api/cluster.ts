import { type Behaviour, behaviourOf } from './behaviour.ts';
import { syncBudgets } from './budgets.ts';
import { Clock } from './clock.ts';
import { GarbageCollector } from './garbage.ts';
import { Kubelets } from './kubelets.ts';
import { NodeLife } from './nodes.ts';
import type { KubeObject, Pod } from './objects.ts';
import type { Registry } from './resources.ts';
import { syncScheduling } from './scheduling.ts';
import { Store } from './store.ts';
import { syncWorkloads } from './workloads.ts';

/** Objects, and lists of objects to any depth: what the fixture builders return. */
export type Seeds = readonly (KubeObject | Seeds)[];

/** Which controllers run; a test switches one off to freeze what it would do. */
export interface Controllers {
  workloads: boolean;
  scheduler: boolean;
  kubelets: boolean;
  nodes: boolean;
  garbage: boolean;
  /** Off: budgets keep the status they have, so a new one counts as stale. */
  budgets: boolean;
}

// Not scaled below this, or heartbeats alone would keep the machine busy.
const HEARTBEAT_MILLISECONDS = 250;

/** The cluster behind the API: the objects and everything that moves them. */
export class Cluster {
  readonly store: Store;
  readonly clock: Clock;
  readonly nodes: NodeLife;
  readonly controllers: Controllers;
  /** Overrides what a pod's annotations say about its behaviour. */
  behaviour: (pod: Pod) => Behaviour = () => ({});
  readonly #garbage: GarbageCollector;
  readonly #kubelets: Kubelets;
  #ticker: NodeJS.Timeout;
  #pending: NodeJS.Immediate | undefined;

  constructor(registry: Registry, scale: number) {
    this.store = new Store(registry);
    this.clock = new Clock(scale);
    const heartbeat = Math.max(10_000 * scale, HEARTBEAT_MILLISECONDS);
    this.nodes = new NodeLife(this.store, 4 * heartbeat);
    this.controllers = { workloads: true, scheduler: true, kubelets: true, nodes: true, garbage: true, budgets: true };
    this.#garbage = new GarbageCollector(this.store);
    const behaviour = (pod: Pod) => ({ ...behaviourOf(pod), ...this.behaviour(pod) });
    this.#kubelets = new Kubelets(this.store, this.clock, behaviour, (node) => this.nodes.isUp(node));
    this.store.subscribe((change) => {
      this.#garbage.notice(change);
      if (change.object.kind !== 'Lease' && change.object.kind !== 'Event') this.#wake();
    });
    this.#ticker = setInterval(() => this.#tick(), heartbeat);
    this.#ticker.unref();
  }

  /** Adds objects as they are, status included, and their namespaces; existing ones are replaced. */
  seed(objects: Seeds): void {
    for (const item of objects) {
      if (isList(item)) this.seed(item);
      else this.#seedOne(item);
    }
    if (this.controllers.nodes && !this.clock.paused) this.#tick();
    this.syncBudgets();
  }

  /** Brings the budgets up to date at once; evictions call it, as they count on a controller that keeps up. */
  syncBudgets(): void {
    if (this.controllers.budgets) syncBudgets(this.store);
  }

  /** Nothing moves: the API is away, so controllers and kubelets can neither read nor write. */
  pause(): void {
    this.clock.pause();
  }

  resume(): void {
    this.nodes.forgive();
    this.clock.resume();
    this.#tick();
    this.#wake();
  }

  stop(): void {
    this.clock.stop();
    clearInterval(this.#ticker);
    if (this.#pending) clearImmediate(this.#pending);
    this.#pending = undefined;
  }

  #seedOne(object: KubeObject): void {
    const resource = this.store.resourceOf(object);
    const { name, namespace = 'default' } = object.metadata;
    if (resource.namespaced) this.ensureNamespace(namespace);
    const existing = this.store.get(resource, name, resource.namespaced ? namespace : '');
    if (!existing) {
      this.store.add(object, resource);
      return;
    }
    const { resourceVersion: _, ...metadata } = object.metadata;
    this.store.replace({ ...object, metadata: { ...existing.metadata, ...metadata, resourceVersion: '' } }, resource);
  }

  /** Creates the namespace unless it is there. */
  ensureNamespace(name: string): void {
    if (this.store.get('namespaces', name)) return;
    this.store.add({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  }

  #tick(): void {
    if (this.controllers.nodes && !this.clock.paused) this.nodes.tick();
  }

  /** One pass after the current event; whatever it changes wakes the next pass, until nothing is left to do. */
  #wake(): void {
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined;
      if (this.clock.paused) return;
      if (this.controllers.garbage) this.#garbage.sync();
      if (this.controllers.nodes) this.nodes.syncTaints();
      if (this.controllers.workloads) syncWorkloads(this.store);
      if (this.controllers.scheduler) syncScheduling(this.store);
      if (this.controllers.kubelets) this.#kubelets.sync();
      this.syncBudgets();
    });
  }
}

function isList(item: KubeObject | Seeds): item is Seeds {
  return Array.isArray(item);
}
