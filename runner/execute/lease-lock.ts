import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterWriter, KubeObject } from '../module.ts';

/** Where reeve's locks live in a cluster, as Leases of coordination.k8s.io/v1. */
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';

/**
 * Seconds after which a lock that nobody renews has expired. The API goes away while a server restarts, so it must not be
 * short; expiry is judged by the time in which this process saw no change, never by comparing two machines' clocks.
 */
export const LEASE_SECONDS = 60;
const RENEW_EVERY = 15_000;
const LOOK_EVERY = 2_000;
/** milliseconds an API that does not answer is tried for when the lock is taken, and when it is given back. */
const TAKE_WITHIN = 180_000;
const RELEASE_WITHIN = 10_000;

export interface LockOptions {
  name: string;
  /** Who holds it, for people: `run 2026… of user@machine`. */
  holder: string;
  cluster: ClusterWriter;
  signal: AbortSignal;
  /** Sets how long the next requests may be tried, in milliseconds. */
  allow: (ms: number) => void;
  /** Called when somebody else has taken the lock: this run must stop. */
  onLost: (message: string) => void;
  /** milliseconds; tests make them short. */
  times?: { expiry: number; renew: number; look: number };
}

export interface Lock {
  release(): Promise<void>;
}

const TIMES = { expiry: LEASE_SECONDS * 1000, renew: RENEW_EVERY, look: LOOK_EVERY };

/**
 * Takes the lock, or refuses. A lock whose holder is alive (it renews) is refused as soon as that is seen; one whose
 * holder died is taken over once it was seen unchanged for as long as it lasts.
 * @throws ReeveError `locked`, exit code 6, naming the holder.
 */
export async function takeLease(options: LockOptions): Promise<Lock> {
  const lease = new Lease(options);
  await lease.take();
  return lease;
}

class Lease implements Lock {
  readonly #options: LockOptions;
  readonly #times: typeof TIMES;
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: LockOptions) {
    this.#options = options;
    this.#times = options.times ?? TIMES;
    this.#path = `${LEASES}/${leaseName(options.name)}`;
  }

  async take(): Promise<void> {
    this.#options.allow(TAKE_WITHIN);
    let seen: { renewed: string; at: number } | undefined;
    for (;;) {
      const found = await this.#read();
      if (!found || !holderOf(found)) {
        if (await this.#claim(found)) break;
        continue;
      }
      const renewed = String(found.spec.renewTime);
      if (seen && renewed !== seen.renewed) throw this.#refusal(found);
      seen ??= { renewed, at: Date.now() };
      if (Date.now() - seen.at >= this.#times.expiry) {
        if (await this.#claim(found)) break;
        seen = undefined;
        continue;
      }
      await this.#pause();
    }
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew());
    }, this.#times.renew);
    this.#timer.unref();
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.allow(RELEASE_WITHIN);
    await this.#renewing;
    const found = await this.#read(true).catch(() => undefined);
    if (!found || holderOf(found) !== this.#options.holder) return;
    const { resourceVersion, uid } = found.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion, uid } };
    await this.#options.cluster
      .write({ method: 'DELETE', path: this.#path, body, cleanup: true })
      .catch(() => undefined);
  }

  async #read(cleanup = false): Promise<KubeObject | undefined> {
    const { status, body } = await this.#options.cluster.read({ method: 'GET', path: this.#path, cleanup });
    if (status === 404) return undefined;
    if (status === 200) return body;
    throw new ReeveError('lock-failed', `the lock ${this.#options.name} cannot be read: ${body?.message ?? status}`, {
      exitCode: EXIT.refused,
    });
  }

  /** Writes this run into the Lease; false when another one was faster. */
  async #claim(found: KubeObject | undefined): Promise<boolean> {
    const now = new Date().toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
    const spec = {
      holderIdentity: this.#options.holder,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: now,
      renewTime: now,
    };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: leaseName(this.#options.name), namespace: 'kube-system' },
    };
    const { status, body } = found
      ? await this.#options.cluster.write({ method: 'PUT', path: this.#path, body: { ...found, spec } })
      : await this.#options.cluster.write({ method: 'POST', path: LEASES, body: { ...lease, spec } });
    if (status === 200 || status === 201) return true;
    if (status === 409 || status === 404) return false;
    throw new ReeveError('lock-failed', `the lock ${this.#options.name} cannot be taken: ${body?.message ?? status}`, {
      hint: 'the run needs the right to get, create, update and delete leases in kube-system',
      exitCode: EXIT.refused,
    });
  }

  /** An API that is away is no reason to stop: nobody else can take the lock meanwhile. */
  async #renew(): Promise<void> {
    this.#options.allow(this.#times.renew);
    try {
      const found = await this.#read();
      if (found && holderOf(found) === this.#options.holder) {
        const renewTime = new Date().toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
        await this.#options.cluster.write({
          method: 'PUT',
          path: this.#path,
          body: { ...found, spec: { ...found.spec, renewTime } },
        });
        return;
      }
      clearInterval(this.#timer);
      const taker = found ? holderOf(found) : undefined;
      this.#options.onLost(
        `the lock ${this.#options.name} was ${taker ? `taken by ${taker}` : 'removed'}; this run stops`,
      );
    } catch {
      // Tried again at the next turn.
    }
  }

  #refusal(found: KubeObject): ReeveError {
    const since = found.spec.acquireTime ? ` since ${found.spec.acquireTime}` : '';
    return new ReeveError('locked', `${this.#options.name} is locked by ${holderOf(found)}${since}`, {
      hint: 'wait until that run has ended; a lock whose run died expires by itself',
      exitCode: EXIT.refused,
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#options;
      const timer = setTimeout(resolve, this.#times.look);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }
}

function holderOf(lease: KubeObject): string | undefined {
  return lease.spec?.holderIdentity || undefined;
}

/** Names of Leases are DNS labels; different locks stay different. */
function leaseName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `reeve-${plain || 'lock'}`;
}
