import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './api/api.ts';
import { node } from './api/fixtures.ts';
import { timestamp } from './api/objects.ts';
import type { HostEvent, LabHost, UnitEvent } from './hosts/types.ts';

export interface Member {
  host: LabHost;
  role: 'server' | 'agent';
  /** Name of its API server in the lab's API; agents have none. */
  endpoint: string | undefined;
}

/**
 * Ties the units on the hosts to the cluster: a server's API is there while its k3s is active, at the version of the running
 * binary; a node's kubelet beats while its unit is active.
 */
export class ClusterLife {
  readonly #api: Api;
  readonly #members = new Map<string, Member>();
  readonly #etcd: boolean;
  /** What happened, done one after another: an API server cannot come back while it still goes away. */
  #work: Promise<void> = Promise.resolve();
  /** API servers whose unit is active, with their versions. */
  readonly #servers = new Map<string, string>();
  /** API servers that an outage keeps away, with the version that would be there. */
  readonly #held = new Map<string, string | undefined>();
  /** Kubelets that wait for an API to register with. */
  #waiting: (() => void)[] = [];

  constructor(api: Api, etcd: boolean) {
    this.#api = api;
    this.#etcd = etcd;
  }

  add(member: Member): void {
    this.#members.set(member.host.name, member);
  }

  /** Resolves when everything that was told so far has been done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Holds a server's API away until the promise settles or so many milliseconds passed. @throws Error without such a server */
  async outage(host: string, until: number | Promise<unknown>): Promise<void> {
    const endpoint = this.#members.get(host)?.endpoint;
    if (endpoint === undefined) throw new Error(`the lab has no server ${host}`);
    const running = this.#servers.get(endpoint);
    this.#held.set(endpoint, running);
    this.#then(() => this.#api.goAway(endpoint));
    await (typeof until === 'number' ? wait(until) : Promise.allSettled([until]));
    this.#then(async () => {
      const version = this.#held.get(endpoint);
      this.#held.delete(endpoint);
      if (version !== undefined) await this.#serve(endpoint, version);
    });
    await this.settled();
  }

  /** A unit of a host changed its state. */
  onUnit(event: UnitEvent): void {
    const member = this.#members.get(event.host);
    // A k3s.service on an agent is a cluster of its own, not a part of this one.
    if (!member || event.unit !== (member.role === 'server' ? 'k3s.service' : 'k3s-agent.service')) return;
    this.#then(() => (event.state === 'active' ? this.#up(member, event.version) : this.#down(member)));
  }

  /** All processes of a host are gone. */
  onDown(name: string): void {
    const member = this.#members.get(name);
    if (member) this.#then(() => this.#down(member));
  }

  /** A stand-in told of something else. */
  onEvent({ host, words }: HostEvent): void {
    const [kind, verb, name = '', location = '', size = '0', stamp = '0'] = words;
    if (kind !== 'snapshot') return;
    const file = `local-${name}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
    if (verb === 'delete') {
      this.#api.state.remove('etcdsnapshotfiles', file);
      return;
    }
    this.#api.seed([
      {
        apiVersion: 'k3s.cattle.io/v1',
        kind: 'ETCDSnapshotFile',
        metadata: { name: file, labels: { 'etcd.k3s.cattle.io/snapshot-storage-node': host } },
        spec: { snapshotName: name, nodeName: host, location },
        status: {
          readyToUse: Number(size) > 0,
          size,
          creationTime: timestamp(new Date(Number(stamp) * 1000)),
        },
      },
    ]);
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step);
  }

  async #up(member: Member, version: string): Promise<void> {
    this.#waiting.push(() => this.#register(member, version));
    if (member.endpoint !== undefined) await this.#serve(member.endpoint, version);
    else this.#registerWaiting();
  }

  /** The API server is back, unless an outage holds it. */
  async #serve(endpoint: string, version: string): Promise<void> {
    if (this.#held.has(endpoint)) {
      this.#held.set(endpoint, version);
      return;
    }
    await this.#api.comeBack({ name: endpoint, version });
    this.#servers.set(endpoint, version);
    this.#registerWaiting();
  }

  #registerWaiting(): void {
    const reachable = [...this.#servers.keys()].some((endpoint) => !this.#held.has(endpoint));
    if (!reachable) return;
    for (const register of this.#waiting.splice(0)) register();
  }

  async #down(member: Member): Promise<void> {
    if (member.endpoint !== undefined) {
      await this.#api.goAway(member.endpoint);
      this.#servers.delete(member.endpoint);
      if (this.#held.has(member.endpoint)) this.#held.set(member.endpoint, undefined);
    }
    const known = this.#api.state.get('nodes', member.host.name);
    if (known) this.#api.setNode(member.host.name, { kubelet: 'stopped', ...this.#voter(member, false) });
  }

  #register(member: Member, version: string): void {
    const { name } = member.host;
    if (!this.#api.state.get('nodes', name)) this.#api.seed([this.#newNode(member, version)]);
    const voter = !existsSync(join(member.host.root, 'lab/knobs/etcd-learner'));
    const { bootId } = member.host;
    this.#api.setNode(name, { kubelet: 'auto', ready: true, version, bootId, ...this.#voter(member, voter) });
  }

  #newNode({ host, role }: Member, version: string) {
    const made = node(host.name, { server: role === 'server', version });
    if (role === 'agent' || this.#etcd) return made;
    delete made.metadata.labels?.['node-role.kubernetes.io/etcd'];
    const conditions = made.status?.conditions?.filter(({ type }) => type !== 'EtcdIsVoter') ?? [];
    return { ...made, status: { ...made.status, conditions } };
  }

  #voter({ role }: Member, holds: boolean) {
    return role === 'server' && this.#etcd ? { conditions: { EtcdIsVoter: holds } } : {};
  }
}
