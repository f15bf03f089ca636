import type { Behaviour } from './behaviour.ts';
import type { Clock } from './clock.ts';
import { isFinished, isReady, type Node, type Pod, setCondition } from './objects.ts';
import { finishedStatus, isStarted, runningStatus } from './pod-status.ts';
import type { Store } from './store.ts';

interface Timer {
  doing: string;
  cancel(): void;
}

const DEFAULT_READY_AFTER = 2;

/** The kubelets of all nodes: they start pods, report them ready, and end them after their grace period. */
export class Kubelets {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #behaviour: (pod: Pod) => Behaviour;
  readonly #isUp: (node: string) => boolean;
  #timers = new Map<string, Timer>();
  #addresses = 0;

  constructor(store: Store, clock: Clock, behaviour: (pod: Pod) => Behaviour, isUp: (node: string) => boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#behaviour = behaviour;
    this.#isUp = isUp;
  }

  /** Looks at every pod that has a node and sets going what its kubelet would do next. */
  sync(): void {
    const pods = this.#store.list<Pod>('pods');
    const alive = new Set(pods.map((pod) => pod.metadata.uid));
    for (const [uid, timer] of this.#timers) {
      if (alive.has(uid)) continue;
      timer.cancel();
      this.#timers.delete(uid);
    }
    for (const pod of pods) {
      const node = pod.spec.nodeName && this.#store.get<Node>('nodes', pod.spec.nodeName);
      if (node) this.#syncPod(pod, node);
    }
  }

  #syncPod(pod: Pod, node: Node): void {
    if (isStarted(pod) && !isFinished(pod)) this.#reportReadiness(pod, isReady(node));
    if (!this.#isUp(node.metadata.name)) return;
    const behaviour = this.#behaviour(pod);
    const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0 } = pod.metadata;
    if (deletionTimestamp) {
      if (behaviour.neverTerminates && grace > 0) return;
      const seconds = Math.min(grace, behaviour.terminatesAfter ?? grace);
      this.#schedule(pod, `terminate within ${grace}`, seconds, () => this.#terminate(pod));
    } else if (!isStarted(pod)) {
      const seconds = behaviour.readyAfter ?? DEFAULT_READY_AFTER;
      this.#schedule(pod, 'start', seconds, () => this.#start(pod, behaviour));
    } else if (behaviour.runsFor !== undefined && !isFinished(pod)) {
      this.#schedule(pod, 'finish', behaviour.runsFor, () => this.#finish(pod));
    }
  }

  #schedule(pod: Pod, doing: string, seconds: number, act: () => void): void {
    const uid = pod.metadata.uid!;
    const current = this.#timers.get(uid);
    if (current?.doing === doing) return;
    current?.cancel();
    const cancel = this.#clock.after(seconds, () => {
      this.#timers.delete(uid);
      const latest = this.#store.get<Pod>('pods', pod.metadata.name, pod.metadata.namespace);
      // A kubelet that died meanwhile does nothing now; the next sync with it alive starts over.
      if (latest?.metadata.uid === uid && this.#isUp(pod.spec.nodeName!)) act();
    });
    this.#timers.set(uid, { doing, cancel });
  }

  #update(pod: Pod, change: (draft: Pod) => void): void {
    this.#store.update<Pod>('pods', pod.metadata.name, pod.metadata.namespace ?? '', change);
  }

  #start(pod: Pod, { neverReady, crashLoops }: Behaviour): void {
    const node = this.#store.get<Node>('nodes', pod.spec.nodeName!);
    const hostIP = node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    const podIP = pod.spec.hostNetwork ? hostIP : this.#newAddress();
    const crashing = crashLoops === true;
    this.#update(pod, (draft) => {
      const addresses = { ...(podIP ? { podIP } : {}), ...(hostIP ? { hostIP } : {}) };
      const status = runningStatus(draft.spec, { ready: !neverReady && !crashing, crashing, ...addresses });
      const kept = (draft.status?.conditions ?? []).filter(({ type }) => type === 'DisruptionTarget');
      draft.status = { ...status, conditions: [...(status.conditions ?? []), ...kept] };
    });
  }

  #newAddress(): string {
    const number = ++this.#addresses;
    return `10.42.${(number >> 8) & 0xff}.${number & 0xff}`;
  }

  #finish(pod: Pod): void {
    this.#update(pod, (draft) => {
      draft.status = finishedStatus(draft.spec, true);
    });
  }

  #terminate(pod: Pod): void {
    const latest = this.#store.get<Pod>('pods', pod.metadata.name, pod.metadata.namespace);
    if (!latest?.metadata.finalizers?.length) {
      this.#store.remove('pods', pod.metadata.name, pod.metadata.namespace);
      return;
    }
    this.#update(pod, (draft) => {
      draft.metadata.deletionGracePeriodSeconds = 0;
      draft.status = finishedStatus(draft.spec, false);
    });
  }

  /** Readiness follows the node's: the node lifecycle controller marks the pods of a lost node unready. */
  #reportReadiness(pod: Pod, nodeReady: boolean): void {
    const { neverReady, crashLoops } = this.#behaviour(pod);
    const wantsReady = nodeReady && !neverReady && !crashLoops;
    const isReadyNow = isReady(pod);
    const lostNode = !nodeReady && isReadyNow;
    const backAgain = wantsReady && !isReadyNow && this.#unreadyByNode(pod);
    if (!lostNode && !backAgain) return;
    this.#update(pod, (draft) => {
      const conditions = draft.status!.conditions!;
      setCondition(
        conditions,
        lostNode ? { type: 'Ready', status: 'False', reason: NODE_LOST } : { type: 'Ready', status: 'True' },
      );
      // A condition that holds has no reason.
      if (backAgain) for (const condition of conditions) if (condition.reason === NODE_LOST) delete condition.reason;
    });
  }

  #unreadyByNode(pod: Pod): boolean {
    return pod.status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === NODE_LOST) ?? false;
  }
}

const NODE_LOST = 'NodeNotReady';
