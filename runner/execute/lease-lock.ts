import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterReader, ClusterWriter, KubeObject } from '../module.ts';
import { EXPIRY_SECONDS, type FoundLock, type HoldOptions, holdLock, type Lock, type LockPlace } from './held-lock.ts';

/** Where reeve's locks live in a cluster, as Leases of coordination.k8s.io/v1. */
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const PREFIX = 'reeve-';
/** milliseconds an API that does not answer is tried for when the lock is taken or renewed, and when it is given back. */
const TAKE_WITHIN = 180_000;
const RENEW_WITHIN = 15_000;
const RELEASE_WITHIN = 5_000;

export interface LockOptions extends HoldOptions {
  cluster: ClusterWriter;
  /** Sets how long the next requests may be tried, in milliseconds. */
  allow: (ms: number) => void;
}

/**
 * Takes a lock in the cluster, or refuses.
 * @throws ReeveError `locked`, exit code 6, naming the holder.
 */
export function takeLease(options: LockOptions): Promise<Lock> {
  return holdLock(new LeasePlace(options), options);
}

/** The locks of a cluster, by name. */
export async function listLeases(cluster: ClusterReader): Promise<Map<string, FoundLock>> {
  const { status, body } = await cluster.read({ method: 'GET', path: LEASES });
  if (status !== 200) throw failed(`the locks of the cluster cannot be read: ${body?.message ?? status}`);
  const leases: KubeObject[] = body.items ?? [];
  return new Map(
    leases
      .filter((lease) => lease.metadata.name.startsWith(PREFIX) && holderOf(lease) !== undefined)
      .map((lease) => [lease.metadata.name.slice(PREFIX.length), asFound(lease)!]),
  );
}

/** Takes a lock away from whoever has it; a run that has it stops before its next effect. Gives who had it. */
export async function breakLease(cluster: ClusterWriter, name: string): Promise<FoundLock | undefined> {
  const path = `${LEASES}/${leaseName(name)}`;
  const { status, body } = await cluster.read({ method: 'GET', path });
  if (status !== 200) return undefined;
  const deleted = await cluster.write({ method: 'DELETE', path });
  if (deleted.status !== 200 && deleted.status !== 404) {
    throw failed(`the lock ${name} cannot be removed: ${deleted.body?.message ?? deleted.status}`);
  }
  return asFound(body);
}

class LeasePlace implements LockPlace {
  readonly #options: LockOptions;
  readonly #path: string;
  #found: KubeObject | undefined;

  constructor(options: LockOptions) {
    this.#options = options;
    this.#path = `${LEASES}/${leaseName(options.name)}`;
  }

  async look(): Promise<FoundLock | undefined> {
    this.#options.allow(TAKE_WITHIN);
    this.#found = await this.#read();
    return asFound(this.#found);
  }

  async claim(): Promise<boolean> {
    const now = microTime();
    const spec = {
      holderIdentity: this.#options.holder,
      leaseDurationSeconds: EXPIRY_SECONDS,
      acquireTime: now,
      renewTime: now,
    };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: leaseName(this.#options.name), namespace: 'kube-system' },
    };
    const { cluster } = this.#options;
    // The resourceVersion in what was found makes the API refuse when it has changed since.
    const { status, body } = this.#found
      ? await cluster.write({ method: 'PUT', path: this.#path, body: { ...this.#found, spec } })
      : await cluster.write({ method: 'POST', path: LEASES, body: { ...lease, spec } });
    if (status === 200 || status === 201) return true;
    if (status === 409 || status === 404) return false;
    throw failed(`the lock ${this.#options.name} cannot be taken: ${body?.message ?? status}`);
  }

  async renew(): Promise<string | undefined> {
    this.#options.allow(this.#options.times?.renew ?? RENEW_WITHIN);
    const found = await this.#read();
    const holder = found && holderOf(found);
    if (!found || holder !== this.#options.holder) return holder ?? '';
    const body = { ...found, spec: { ...found.spec, renewTime: microTime() } };
    await this.#options.cluster.write({ method: 'PUT', path: this.#path, body });
    return undefined;
  }

  async free(): Promise<boolean> {
    this.#options.allow(RELEASE_WITHIN);
    try {
      const found = await this.#read(true);
      if (!found || holderOf(found) !== this.#options.holder) return true;
      const { resourceVersion, uid } = found.metadata;
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion, uid } };
      const { status } = await this.#options.cluster.write({
        ...{ method: 'DELETE', path: this.#path, body },
        ...{ cleanup: true, timeout: RELEASE_WITHIN },
      });
      // Not found, or another one's in the meantime.
      return status === 200 || status === 404 || status === 409;
    } catch {
      return false;
    }
  }

  async #read(cleanup = false): Promise<KubeObject | undefined> {
    const { status, body } = await this.#options.cluster.read({
      ...{ method: 'GET', path: this.#path },
      ...(cleanup && { cleanup, timeout: RELEASE_WITHIN }),
    });
    if (status === 404) return undefined;
    if (status === 200) return body;
    throw failed(`the lock ${this.#options.name} cannot be read: ${body?.message ?? status}`);
  }
}

function failed(message: string): ReeveError {
  return new ReeveError('lock-failed', message, {
    hint: 'this needs the right to get, list, create, update and delete leases in kube-system',
    exitCode: EXIT.refused,
  });
}

function asFound(lease: KubeObject | undefined): FoundLock | undefined {
  const holder = lease && holderOf(lease);
  if (!lease || holder === undefined) return undefined;
  return { holder, since: lease.spec.acquireTime ?? '', mark: `${holder} ${lease.spec.renewTime}` };
}

function holderOf(lease: KubeObject): string | undefined {
  return lease.spec?.holderIdentity || undefined;
}

/** MicroTime, as the API writes it. */
function microTime(): string {
  return new Date().toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}

/** Names of Leases are DNS labels; different locks stay different. */
function leaseName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `${PREFIX}${plain || 'lock'}`;
}
