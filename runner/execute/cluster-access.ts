import { ReeveError } from '../errors.ts';
import type { ClusterAccess, HostAccess } from '../kube/access.ts';
import type { Cluster } from '../kube/cluster.ts';
import type { Scope } from '../language/types.ts';
import type { ClusterReader, ClusterWriter, ServerReadiness } from '../module.ts';
import { becomeFromVariables, becomeSpec, connectionSetting } from './connection-spec.ts';
import { plainScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { hostState, type RunState } from './run-state.ts';
import { runThere, specOf, type Where } from './where.ts';

/** What a task's requests to the cluster are bounded by. */
interface TaskLimits {
  signal: AbortSignal;
  remaining(): number;
  progress(message: string): void;
}

/** The clusters of a run, opened when first asked for and shared by all tasks. */
export class Clusters {
  readonly #open = new Map<string, Promise<Cluster>>();
  /** What ends the watch of a cluster, by the names of its ways, whatever the order of these. */
  readonly #watches = new Map<string, () => Promise<void>>();

  /** The cluster of a task, for reading. Throws ReeveError `no-cluster` when nothing says where the API is. */
  async reader(run: RunState, scope: Scope, limits: TaskLimits): Promise<ClusterReader> {
    return (await this.#watched(run, ways(run, scope))).reader(limits);
  }

  async writer(run: RunState, scope: Scope, limits: TaskLimits): Promise<ClusterWriter> {
    return (await this.#watched(run, ways(run, scope))).writer(limits);
  }

  /** Asks the API server on one host, through that host. */
  async serverReady(run: RunState, host: HostState, signal: AbortSignal): Promise<ServerReadiness> {
    return (await this.#of([throughHost(run, host)])).serverReady(host.name, signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((unwatch) => unwatch()));
    for (const opening of this.#open.values()) await opening.then((cluster) => cluster.close()).catch(() => {});
    this.#open.clear();
  }

  /**
   * The cluster of tasks. From its first use to the end of the run the journal has when its API did not answer; a check
   * takes nothing away and is not to be slowed down.
   */
  async #watched(run: RunState, accesses: ClusterAccess[]): Promise<Cluster> {
    const cluster = await this.#of(accesses);
    const key = [...cluster.names].sort().join('\n');
    if (!run.settings.check && !this.#watches.has(key)) {
      const unwatch = cluster.watch((told) => void run.emitter.emit(told));
      this.#watches.set(key, unwatch);
    }
    return cluster;
  }

  #of(accesses: ClusterAccess[]): Promise<Cluster> {
    const key = accesses.map((one) => `${one.kind} ${one.name ?? ''} ${one.path ?? ''}`).join('\n');
    let cluster = this.#open.get(key);
    if (!cluster) {
      // Loaded when first needed: a run without a cluster must not pay for it.
      cluster = import('../kube/cluster.ts').then(({ openCluster }) => openCluster(accesses));
      this.#open.set(key, cluster);
    }
    return cluster;
  }
}

/**
 * The ways to the cluster of a task, in the order to try: a kubeconfig (input, variable), the hosts of `kube_via`,
 * KUBECONFIG, the hosts of the group `servers`.
 */
function ways(run: RunState, scope: Scope): ClusterAccess[] {
  const kubeconfig = text(run.settings.inputs.kubeconfig) ?? text(named(scope, 'kubeconfig'));
  if (kubeconfig) return [{ kind: 'kubeconfig', path: kubeconfig }];
  const servers = run.inventory.groups.has('servers') ? run.inventory.hostsOf('servers') : [];
  const via = named(scope, 'kube_via');
  if (via !== undefined && via !== null) {
    const first = (Array.isArray(via) ? via : [via]).map(String);
    // The other servers serve when the named one does not answer.
    return hostWays(run, [...first, ...servers.filter((name) => !first.includes(name))]);
  }
  if (process.env.KUBECONFIG) return [{ kind: 'kubeconfig', path: process.env.KUBECONFIG, origin: 'KUBECONFIG' }];
  if (servers.length > 0) return hostWays(run, servers);
  throw new ReeveError('no-cluster', 'nothing says where the Kubernetes API is', {
    hint: 'set KUBECONFIG, the variable kubeconfig, or kube_via: HOST in the inventory',
    exitCode: 2,
  });
}

function hostWays(run: RunState, names: string[]): HostAccess[] {
  const unknown = names.find((name) => !run.inventory.hosts.has(name));
  if (unknown !== undefined) {
    throw new ReeveError('unknown-host', `kube_via names ${unknown}, which is no host of the inventory`, {
      exitCode: 2,
    });
  }
  return names.map((name) => throughHost(run, hostState(run, name)));
}

const QUESTION_TIMEOUT = 30_000;

/** The API through a host: its kubeconfig is read there, as root where the inventory says how, and the tunnel starts there. */
function throughHost(run: RunState, host: HostState): HostAccess {
  const scope = plainScope(run, host);
  const spec = specOf(run, host);
  const { become, user, method } = becomeFromVariables(scope);
  const password = connectionSetting(scope, 'becomePassword', (value) => run.masker.add(value));
  const where = (): Where => ({
    host,
    spec,
    become: become ? becomeSpec(host.name, user, method, password) : undefined,
    environment: {},
    deadline: Date.now() + QUESTION_TIMEOUT,
    signal: run.interrupt.signal,
  });
  const configDir = text(named(scope, 'k3s_config_dir'));
  return {
    kind: 'host',
    name: host.name,
    ...(configDir === undefined ? {} : { path: `${configDir}/k3s.yaml` }),
    run: (script) => runThere(run, where(), script),
    connected: () => run.connections.roundTrips.has(host.name),
    forward: (address, port) => run.connections.forward(spec, address, port),
    // A container's tunnel ends on its Proxmox node: from there the container is reached by its own address.
    ...(spec.transport === 'pct' ? { tunnelTo: spec.address } : {}),
  };
}

function named(scope: Scope, name: string): unknown {
  return scope.has(name) ? scope.get(name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
