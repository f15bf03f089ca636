import { randomBytes } from 'node:crypto';
import { createAuthority } from './certificates.ts';
import { Cluster, type Controllers, type Seeds } from './cluster.ts';
import { Endpoint } from './endpoint.ts';
import type { Faults } from './faults.ts';
import { type Access, Gateway, isAcceptedWrite, type LogEntry } from './gateway.ts';
import { type KubeconfigOptions, kubeconfigText } from './kubeconfig.ts';
import type { NodePatch } from './nodes.ts';
import type { Node } from './objects.ts';
import { Registry, type Resource, resourcesWithEviction } from './resources.ts';
import { type ServerOptions, Servers } from './servers.ts';
import type { Store } from './store.ts';

export interface ApiOptions {
  /** What /version says, such as v1.31.5+k3s1. */
  version?: string;
  /** Real seconds per cluster second; 1/300 unless told, so that a grace period of 30 s lasts 0.1 s. */
  scale?: number;
  token?: string;
  host?: string;
  port?: number;
  /** Kinds beyond the built-in ones, such as {@link longhornResources}. */
  resources?: readonly Resource[];
  /** Which Eviction the server takes; v1 unless told. */
  eviction?: 'v1' | 'v1beta1' | 'none';
  /** Controllers to leave out, for a state that must not move. */
  controllers?: Partial<Controllers>;
}

/** A running Kubernetes API; see {@link startApi}. */
export interface Api {
  readonly url: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly token: string;
  kubeconfig(options?: KubeconfigOptions): string;
  /** The objects. What comes out is frozen; change it through `update`. */
  readonly state: Store;
  readonly cluster: Cluster;
  readonly controllers: Controllers;
  /** Every request that was authenticated, health and version left out. */
  readonly requests: readonly LogEntry[];
  /** Every write that was accepted, dry runs included; reviews are no writes. */
  readonly writeLog: readonly LogEntry[];
  /** The writes that changed something: no dry runs. */
  readonly mutations: readonly LogEntry[];
  readonly faults: Faults;
  /** The first server; {@link addServer} starts more. */
  readonly server: Endpoint;
  seed(objects: Seeds): void;
  setNode(name: string, patch: NodePatch): Node;
  heartbeat(name: string): void;
  /** Says what is forbidden and why, or undefined; answers `auth can-i` as well. */
  authorize(rule: (access: Access) => string | undefined): void;
  /** Another API server on the same state, as each k3s server has its own. */
  addServer(options: ServerOptions): Promise<Endpoint>;
  /** The server (the first unless named) stops listening and drops every connection. */
  goAway(name?: string): Promise<void>;
  /** It listens again on its old port, perhaps as another version. */
  comeBack(options?: { version?: string; name?: string }): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Starts a Kubernetes API over HTTPS in this process, with a cluster behind it that lives: see the folder's README. */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const { version = 'v1.31.5+k3s1', scale = 1 / 300, token = randomBytes(16).toString('hex') } = options;
  const authority = createAuthority('k3s-server-ca');
  const client = authority.issueClient('system:admin', 'system:masters');
  const registry = new Registry(resourcesWithEviction(options.eviction ?? 'v1'), options.resources ?? []);
  const cluster = new Cluster(registry, scale);
  Object.assign(cluster.controllers, options.controllers);
  for (const namespace of NAMESPACES) cluster.ensureNamespace(namespace);
  const gateway = new Gateway(cluster);
  const servers = new Servers(cluster, (wanted) => new Endpoint({ version, ...wanted }, gateway, authority, token));
  const { host = '127.0.0.1', port = 0 } = options;
  const server = await servers.add({ name: 'server', host, port });
  const access = { ca: authority.cert, clientCert: client.cert, clientKey: client.key, token };
  const stop = async () => {
    cluster.stop();
    await servers.stop();
  };
  return {
    ...access,
    url: server.url,
    port: server.port,
    kubeconfig: (wanted) => kubeconfigText({ ...access, server: server.url }, wanted),
    state: cluster.store,
    cluster,
    controllers: cluster.controllers,
    requests: gateway.requests,
    get writeLog() {
      return gateway.requests.filter(isAcceptedWrite);
    },
    get mutations() {
      return gateway.requests.filter((entry) => isAcceptedWrite(entry) && !entry.dryRun);
    },
    faults: gateway.faults,
    server,
    seed: (objects) => cluster.seed(objects),
    setNode: (name, patch) => cluster.nodes.set(name, patch),
    heartbeat: (name) => cluster.nodes.heartbeat(name),
    authorize: (rule) => {
      gateway.authorize = rule;
    },
    addServer: ({ host: own = host, port: its = 0, ...wanted }) => servers.add({ host: own, port: its, ...wanted }),
    goAway: (name) => servers.goAway(name),
    comeBack: (back) => servers.comeBack(back),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
