import { type ClusterWriter, type KubeObject, ReeveError } from '../../runner/module.ts';
import { watchBudgets } from './kube-budget-watch.ts';
import { isLongDeleted } from './kube-drain-filters.ts';
import { type EvictionApi, evictionOf, outcomeOf } from './kube-eviction.ts';
import { nameOf, podPath } from './kube-objects.ts';

export interface EvictionOptions {
  node: string;
  api: EvictionApi;
  /** seconds; undefined: each pod's own */
  gracePeriod: number | undefined;
  /** milliseconds between tries of a pod that may not leave yet */
  retry: number;
  /** milliseconds for evicting and waiting together */
  timeout: number;
  /** seconds; 0 waits for every pod */
  skipWaitForDelete: number;
  signal: AbortSignal;
  progress(message: string): void;
}

/** How far one pod got. */
export interface PodProgress {
  pod: KubeObject;
  name: string;
  state: 'waiting' | 'blocked' | 'leaving' | 'gone' | 'failed';
  /** Why it is blocked or has failed. */
  why?: string;
  budget?: string;
}

export interface EvictionResult {
  pods: PodProgress[];
  /** How it ended: all gone; the deadline; a pod that cannot be evicted at all. */
  end: 'done' | 'deadline' | 'failed';
  /** An error of the cluster rather than of a pod. */
  error?: unknown;
}

/** What those who wait may want to hear of: the node's pods changed, these budgets opened. */
interface News {
  pods?: true;
  open?: ReadonlySet<string>;
}

const DEADLINE = Symbol('deadline');
const HARD_FAILURE = Symbol('hard failure');

/**
 * Makes pods leave their node and waits until they are gone: deleted, or replaced by another uid. All at once, or one
 * after another where evictions are bypassed. A pod that can never be evicted ends it at once, even while a budget holds
 * another one back. Never throws for a pod; rejects only when `signal` aborts.
 */
export async function evictPods(
  cluster: ClusterWriter,
  pods: readonly KubeObject[],
  options: EvictionOptions,
): Promise<EvictionResult> {
  return new Evictor(cluster, pods, options).run();
}

class Evictor {
  readonly #cluster: ClusterWriter;
  readonly #options: EvictionOptions;
  readonly #pods: PodProgress[];
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** The node's pods by uid, as the watch last saw them. */
  #present: Map<string, KubeObject>;
  readonly #sleepers = new Set<(news: News) => void>();
  #watchingBudgets: Promise<void> | undefined;
  /** How often each budget was seen to open. */
  readonly #openings = new Map<string, number>();
  #gone = 0;
  #error: unknown;

  constructor(cluster: ClusterWriter, pods: readonly KubeObject[], options: EvictionOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#pods = pods.map((pod) => ({ pod, name: nameOf(pod), state: 'waiting' }));
    this.#present = byUid(pods);
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#signal.addEventListener('abort', () => this.#wake({}), { once: true });
  }

  async run(): Promise<EvictionResult> {
    if (this.#pods.length === 0) return { pods: [], end: 'done' };
    const timer = setTimeout(() => this.#stop.abort(DEADLINE), this.#options.timeout);
    const watching = this.#watch();
    try {
      if (this.#options.api === 'delete') await this.#oneByOne();
      else await Promise.all(this.#pods.map((entry) => this.#guarded(entry, () => this.#leave(entry))));
      await Promise.all(this.#pods.map((entry) => this.#guarded(entry, () => this.#untilGone(entry))));
      this.#options.signal.throwIfAborted();
      return { pods: this.#pods, end: this.#stop.signal.aborted ? this.#ending() : 'done', ...this.#clusterError() };
    } finally {
      clearTimeout(timer);
      this.#stop.abort();
      await Promise.all([watching, this.#watchingBudgets]);
    }
  }

  #clusterError(): { error?: unknown } {
    return this.#error === undefined ? {} : { error: this.#error };
  }

  #ending(): EvictionResult['end'] {
    return this.#stop.signal.reason === DEADLINE ? 'deadline' : 'failed';
  }

  async #oneByOne(): Promise<void> {
    for (const entry of this.#pods) await this.#guarded(entry, () => this.#leave(entry));
  }

  /** Turns what goes wrong with one pod into its state. */
  async #guarded(entry: PodProgress, step: () => Promise<void>): Promise<void> {
    if (this.#signal.aborted || entry.state === 'gone') return;
    try {
      await step();
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#fail(entry, error instanceof Error ? error.message : String(error));
      if (error instanceof ReeveError) this.#error ??= error;
    }
  }

  #fail(entry: PodProgress, why: string): void {
    entry.state = 'failed';
    entry.why = why;
    this.#options.progress(`${entry.name}: ${why}`);
    this.#stop.abort(HARD_FAILURE);
  }

  /** Asks until the pod is on its way. */
  async #leave(entry: PodProgress): Promise<void> {
    const { api, gracePeriod, retry, progress } = this.#options;
    const request = { ...evictionOf(entry.pod, api, gracePeriod), signal: this.#signal };
    for (;;) {
      if (this.#checkGone(entry)) return;
      const openings = new Map(this.#openings);
      const outcome = outcomeOf(await this.#cluster.write(request));
      switch (outcome.kind) {
        case 'leaving':
          entry.state = 'leaving';
          delete entry.why;
          progress(`evicting ${entry.name}`);
          return;
        case 'gone':
          this.#markGone(entry);
          return;
        case 'failed':
          this.#fail(entry, outcome.why);
          return;
        case 'conflict':
          if (await this.#lookGone(entry)) return;
          this.#note(entry, outcome);
          await this.#sleep(retry, () => false);
          break;
        default:
          this.#note(entry, outcome);
          await this.#untilRetry(entry, openings);
          // Budgets are looked at before the uid: without this a replacement's budget would hold us for ever.
          if (await this.#lookGone(entry)) return;
      }
    }
  }

  #note(entry: PodProgress, { why, budget }: { why: string; budget?: string }): void {
    if (entry.why !== why) this.#options.progress(`${entry.name} stays for now: ${why}`);
    entry.state = 'blocked';
    entry.why = why;
    if (budget === undefined) delete entry.budget;
    else entry.budget = `${entry.pod.metadata.namespace}/${budget}`;
  }

  /** Whether the pod is gone, by asking for it; one that is terminating needs no eviction any more. */
  async #lookGone(entry: PodProgress): Promise<boolean> {
    const { node, skipWaitForDelete } = this.#options;
    const request = { method: 'GET', path: podPath(entry.pod), signal: this.#signal } as const;
    const { status, body } = await this.#cluster.read(request);
    const found = status === 200 ? body : undefined;
    if (status === 404 || (found && (found.metadata.uid !== entry.pod.metadata.uid || found.spec?.nodeName !== node))) {
      this.#markGone(entry);
      return true;
    }
    if (found?.metadata.deletionTimestamp === undefined) return false;
    if (isLongDeleted(found, skipWaitForDelete)) this.#markGone(entry);
    else entry.state = 'leaving';
    return true;
  }

  async #untilGone(entry: PodProgress): Promise<void> {
    // A pod that terminates for too long is given up by the clock, not by an event.
    const look = this.#options.skipWaitForDelete > 0 ? 1000 : undefined;
    while (!this.#checkGone(entry)) await this.#sleep(look, (news) => news.pods === true);
  }

  #checkGone(entry: PodProgress): boolean {
    if (entry.state === 'gone') return true;
    const found = this.#present.get(entry.pod.metadata.uid);
    if (found && !isLongDeleted(found, this.#options.skipWaitForDelete)) return false;
    this.#markGone(entry);
    return true;
  }

  #markGone(entry: PodProgress): void {
    if (entry.state === 'gone') return;
    entry.state = 'gone';
    delete entry.why;
    this.#gone += 1;
    this.#options.progress(`${entry.name} has left (${this.#gone} of ${this.#pods.length})`);
  }

  /** Follows the node's pods for as long as the drain lasts. */
  async #watch(): Promise<void> {
    const { node, timeout } = this.#options;
    const options = {
      path: '/api/v1/pods',
      query: { fieldSelector: `spec.nodeName=${node}` },
      what: `the pods of ${node} to leave`,
      signal: this.#signal,
    };
    try {
      await this.#cluster.until(
        options,
        (pods) => {
          this.#present = byUid(pods);
          this.#wake({ pods: true });
          return undefined;
        },
        timeout,
      );
    } catch (error) {
      if (this.#signal.aborted) return;
      const late = error instanceof ReeveError && error.code === 'deadline';
      // A deadline has a cause when the API server was away.
      if (!late || error.cause !== undefined) this.#error ??= error;
      this.#stop.abort(late ? DEADLINE : HARD_FAILURE);
    }
  }

  /** Until the next try is due, or the budget that holds the pod opens; `openings` is from before the last try. */
  async #untilRetry({ budget }: PodProgress, openings: ReadonlyMap<string, number>): Promise<void> {
    const { timeout, retry } = this.#options;
    if (budget === undefined) return this.#sleep(retry, () => false);
    const onOpen = (open: ReadonlySet<string>) => {
      for (const name of open) this.#openings.set(name, (this.#openings.get(name) ?? 0) + 1);
      this.#wake({ open });
    };
    this.#watchingBudgets ??= watchBudgets(this.#cluster, { signal: this.#signal, timeout, onOpen });
    // It may have opened while the refusal was on its way.
    if (this.#openings.get(budget) !== openings.get(budget)) return;
    await this.#sleep(retry, ({ open }) => open?.has(budget) === true);
  }

  #wake(news: News): void {
    for (const wake of [...this.#sleepers]) wake(news);
  }

  /** Resolves after `ms` or at news that matter; rejects when all is over. */
  async #sleep(ms: number | undefined, matters: (news: News) => boolean): Promise<void> {
    this.#signal.throwIfAborted();
    await new Promise<void>((accept) => {
      const end = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        accept();
      };
      const timer = ms === undefined ? undefined : setTimeout(end, ms);
      const wake = (news: News) => {
        if (this.#signal.aborted || matters(news)) end();
      };
      this.#sleepers.add(wake);
    });
    this.#signal.throwIfAborted();
  }
}

function byUid(pods: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(pods.map((pod) => [pod.metadata.uid, pod]));
}
