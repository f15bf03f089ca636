import { notFound } from './api-error.ts';
import { withoutPressure } from './node-fixture.ts';
import {
  type Condition,
  conditionOf,
  type Lease,
  microTimestamp,
  type Node,
  setCondition,
  timestamp,
} from './objects.ts';
import type { Store } from './store.ts';

/**
 * How a node's kubelet lives: `auto` sends heartbeats by itself, `external` only when {@link NodeLife.heartbeat} is
 * called (the lab's hosts do), `stopped` not at all.
 */
export type KubeletMode = 'auto' | 'external' | 'stopped';

/** What a test or a lab host may change about a node in one call. */
export interface NodePatch {
  /** What the kubelet reports as Ready; the lab holds it until it is told otherwise. */
  ready?: boolean;
  /** The kubelet's version, such as v1.31.5+k3s1. */
  version?: string;
  /** Of its machine, as the kubelet reports it. */
  bootId?: string;
  kubelet?: KubeletMode;
  unschedulable?: boolean;
  /** Merged; null removes. */
  labels?: Record<string, string | null>;
  annotations?: Record<string, string | null>;
  /** Further conditions by type, such as `{ EtcdIsVoter: true }`. */
  conditions?: Record<string, boolean | Partial<Condition>>;
}

interface Kubelet {
  mode: KubeletMode;
  ready: boolean;
  /** The lease's renewTime and when it was first seen, so that clocks need not agree. */
  seen?: { renewTime: string | undefined; at: number };
}

const LEASES = 'kube-node-lease';
const UNKNOWN = 'NodeStatusUnknown';

/** Kubelet heartbeats and the node lifecycle controller that judges them. */
export class NodeLife {
  readonly #store: Store;
  readonly #graceMilliseconds: number;
  #kubelets = new Map<string, Kubelet>();

  /** @param graceMilliseconds after how long without a heartbeat a node counts as lost */
  constructor(store: Store, graceMilliseconds: number) {
    this.#store = store;
    this.#graceMilliseconds = graceMilliseconds;
  }

  isUp(name: string): boolean {
    return this.#kubelet(name).mode !== 'stopped';
  }

  /** A round of heartbeats of the kubelets in mode `auto`; others are judged by the age of their lease. */
  tick(): void {
    for (const node of this.#store.list<Node>('nodes')) {
      const { name } = node.metadata;
      if (this.#kubelet(name).mode === 'auto') this.heartbeat(name);
      else this.#judge(node);
    }
  }

  /** Renews the node's lease and, when its status was lost, reports it again. @throws ApiError 404 without such a node */
  heartbeat(name: string): void {
    const node = this.#store.get<Node>('nodes', name);
    if (!node) throw notFound(this.#store.registry.named('nodes'), name);
    this.#renew(node);
    const kubelet = this.#kubelet(name);
    kubelet.seen = { renewTime: this.#lease(name)?.spec.renewTime, at: Date.now() };
    const ready = conditionOf(node, 'Ready');
    if (!ready || ready.reason === UNKNOWN) this.#reportReady(name, kubelet.ready);
  }

  /** Applies a patch; unknown nodes are an error. @throws ApiError 404 without such a node */
  set(name: string, patch: NodePatch): Node {
    const kubelet = this.#kubelet(name);
    if (patch.kubelet) kubelet.mode = patch.kubelet;
    if (patch.ready !== undefined) kubelet.ready = patch.ready;
    this.#store.update<Node>('nodes', name, '', (draft) => applyPatch(draft, patch));
    if (patch.ready !== undefined) this.#reportReady(name, patch.ready);
    if (patch.kubelet === 'auto' || patch.version !== undefined) this.heartbeat(name);
    this.syncTaints();
    const node = this.#store.get<Node>('nodes', name);
    if (!node) throw notFound(this.#store.registry.named('nodes'), name);
    return node;
  }

  /** Taints follow spec.unschedulable and the Ready condition. */
  syncTaints(): void {
    for (const node of this.#store.list<Node>('nodes')) {
      const ready = conditionOf(node, 'Ready')?.status;
      this.#store.update<Node>('nodes', node.metadata.name, '', ({ spec }) => {
        const wanted = {
          'node.kubernetes.io/unschedulable/NoSchedule': spec.unschedulable === true,
          'node.kubernetes.io/not-ready/NoSchedule': ready === 'False',
          'node.kubernetes.io/not-ready/NoExecute': ready === 'False',
          'node.kubernetes.io/unreachable/NoSchedule': ready === 'Unknown',
          'node.kubernetes.io/unreachable/NoExecute': ready === 'Unknown',
        };
        const others = (spec.taints ?? []).filter(({ key, effect }) => !(`${key}/${effect}` in wanted));
        const kept = (spec.taints ?? []).filter(({ key, effect }) => wanted[`${key}/${effect}` as keyof typeof wanted]);
        const added = Object.entries(wanted)
          .filter(([id, on]) => on && !kept.some(({ key, effect }) => `${key}/${effect}` === id))
          .map(([id]) => ({
            key: id.slice(0, id.lastIndexOf('/')),
            effect: id.slice(id.lastIndexOf('/') + 1),
            timeAdded: timestamp(),
          }));
        const taints = [...others, ...kept, ...added];
        if (taints.length > 0) spec.taints = taints;
        else delete spec.taints;
      });
    }
  }

  /** After an outage of the API everybody gets a full grace period again. */
  forgive(): void {
    for (const kubelet of this.#kubelets.values()) delete kubelet.seen;
  }

  #kubelet(name: string): Kubelet {
    let kubelet = this.#kubelets.get(name);
    if (!kubelet) {
      const ready = this.#store.get<Node>('nodes', name);
      kubelet = { mode: 'auto', ready: !ready || conditionOf(ready, 'Ready')?.status !== 'False' };
      this.#kubelets.set(name, kubelet);
    }
    return kubelet;
  }

  #lease(name: string): Lease | undefined {
    return this.#store.get<Lease>('leases', name, LEASES);
  }

  #renew({ metadata: { name, uid } }: Node): void {
    const renewTime = microTimestamp();
    if (this.#lease(name)) {
      this.#store.update<Lease>('leases', name, LEASES, (draft) => {
        draft.spec.renewTime = renewTime;
      });
      return;
    }
    this.#store.add<Lease>({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: LEASES, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: uid! }] },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
    });
  }

  #reportReady(name: string, ready: boolean): void {
    this.#store.update<Node>('nodes', name, '', (draft) => {
      draft.status ??= {};
      draft.status.conditions ??= [];
      setCondition(draft.status.conditions, {
        type: 'Ready',
        status: ready ? 'True' : 'False',
        reason: ready ? 'KubeletReady' : 'KubeletNotReady',
        message: ready ? 'kubelet is posting ready status' : 'container runtime is down',
        lastHeartbeatTime: timestamp(),
      });
      // A kubelet that is back reports all of its status, not only that it is ready.
      for (const healthy of withoutPressure()) {
        const lost = draft.status.conditions.findIndex(
          ({ type, reason }) => type === healthy.type && reason === UNKNOWN,
        );
        if (lost >= 0) draft.status.conditions[lost] = healthy;
      }
    });
  }

  #judge(node: Node): void {
    const { name } = node.metadata;
    const kubelet = this.#kubelet(name);
    const renewTime = this.#lease(name)?.spec.renewTime;
    if (!kubelet.seen || kubelet.seen.renewTime !== renewTime) kubelet.seen = { renewTime, at: Date.now() };
    if (Date.now() - kubelet.seen.at < this.#graceMilliseconds) return;
    this.#store.update<Node>('nodes', name, '', (draft) => {
      for (const condition of draft.status?.conditions ?? []) {
        if (condition.type === 'EtcdIsVoter') continue;
        setCondition(draft.status!.conditions!, {
          type: condition.type,
          status: 'Unknown',
          reason: UNKNOWN,
          message: 'Kubelet stopped posting node status.',
        });
      }
    });
  }
}

function applyPatch(draft: Node, patch: NodePatch): void {
  if (patch.unschedulable === true) draft.spec.unschedulable = true;
  if (patch.unschedulable === false) delete draft.spec.unschedulable;
  for (const field of ['labels', 'annotations'] as const) {
    const entries = Object.entries({ ...draft.metadata[field], ...patch[field] });
    draft.metadata[field] = Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
  }
  draft.status ??= {};
  if (patch.version)
    draft.status.nodeInfo = {
      ...draft.status.nodeInfo,
      kubeletVersion: patch.version,
      kubeProxyVersion: patch.version,
    };
  if (patch.bootId) draft.status.nodeInfo = { ...draft.status.nodeInfo, bootID: patch.bootId };
  draft.status.conditions ??= [];
  for (const [type, wanted] of Object.entries(patch.conditions ?? {})) {
    const condition =
      typeof wanted === 'boolean' ? { status: wanted ? ('True' as const) : ('False' as const) } : wanted;
    setCondition(draft.status.conditions, { status: 'True', ...condition, type });
  }
}
