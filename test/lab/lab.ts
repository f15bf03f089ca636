import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, startApi } from './api/api.ts';
import type { Seeds } from './api/cluster.ts';
import type { Endpoint } from './api/endpoint.ts';
import { daemonset, deployment, pdb } from './api/fixtures.ts';
import { ClusterLife, type Member } from './cluster-life.ts';
import { hashOf, treeOf } from './fingerprint.ts';
import { type ArtifactServer, startArtifacts } from './hosts/artifact-server.ts';
import { startHosts } from './hosts/start-hosts.ts';
import type { HostSpec, LabHosts } from './hosts/types.ts';
import { installMember } from './install-cluster.ts';
import { inventoryText } from './inventory-file.ts';
import { type FullLabOptions, type LabOptions, withDefaults } from './lab-options.ts';

export interface Lab {
  readonly dir: string;
  readonly hosts: LabHosts;
  readonly api: Api;
  readonly artifacts: ArtifactServer;
  /** In reeve's dialect: groups servers, agents and, with containers, proxmox. */
  readonly inventoryFile: string;
  readonly kubeconfigFile: string;
  readonly sshKeyFile: string;
  readonly knownHostsFile: string;
  readonly channelUrl: string;
  readonly installScriptUrl: string;
  /** Every file of every host (`HOST:path`), with mode and content's hash, and every write the API took. */
  state(): Map<string, string>;
  /** A hash of {@link state}: unchanged means that nothing was written anywhere. */
  fingerprint(): string;
  /**
   * Takes a server's API away (the first one's unless named) for so many milliseconds or until the promise settles, whatever
   * its unit does meanwhile. Resolves once it is back, or would be if its unit were active.
   */
  apiOutage(until: number | Promise<unknown>, server?: string): Promise<void>;
  /** Resolves when the API has followed all that happened on the hosts so far. */
  settled(): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a k3s cluster on this machine: hosts behind SSH, an API that follows them, and a place to download k3s from. */
export async function startLab(given: LabOptions = {}): Promise<Lab> {
  const options = withDefaults(given);
  const names = {
    servers: numbered('server', options.servers),
    agents: numbered('agent', options.agents),
    proxmox: numbered('pve', options.proxmox?.nodes ?? 0),
  };
  const api = await startApi({
    version: options.version,
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    ...(options.resources ? { resources: options.resources } : {}),
  });
  const artifacts = await startArtifacts({
    versions: [options.version, ...options.available],
    ...(options.channels ? { channels: options.channels } : {}),
  });
  const life = new ClusterLife(api, options.datastore === 'etcd');
  let hosts: LabHosts | undefined;
  const stop = async () => {
    await hosts?.stop();
    await Promise.all([api.stop(), artifacts.stop()]);
  };
  try {
    hosts = await startHosts({
      hosts: hostSpecs(names, options),
      ...(options.backend ? { backend: options.backend } : {}),
      ...(options.rebootMs === undefined ? {} : { rebootMs: options.rebootMs }),
      onUnit: (event) => life.onUnit(event),
      onDown: (host) => life.onDown(host),
      onEvent: (event) => life.onEvent(event),
    });
    await bringUp(hosts, names, { api, artifacts, life, options });
  } catch (error) {
    await stop();
    throw error;
  }
  return describeLab({ hosts, names, api, artifacts, life, stop });
}

interface Names {
  servers: string[];
  agents: string[];
  proxmox: string[];
}

interface Parts {
  api: Api;
  artifacts: ArtifactServer;
  life: ClusterLife;
  options: FullLabOptions;
}

/** Installs k3s everywhere, the first server first, and fills the cluster. */
async function bringUp(hosts: LabHosts, names: Names, { api, artifacts, life, options }: Parts): Promise<void> {
  const install = async (
    name: string,
    role: Member['role'],
    endpoint: Endpoint | undefined,
    join: string | undefined,
  ) => {
    const host = hosts.get(name);
    const kubeconfig = endpoint && api.kubeconfig({ server: endpoint.url });
    life.add({ host, role, endpoint: endpoint?.name });
    await installMember({ host, role, join, kubeconfig, artifactsUrl: artifacts.url }, options);
  };
  const [first, ...others] = names.servers;
  if (first === undefined) throw new TypeError('a lab needs a server');
  await install(first, 'server', api.server, undefined);
  const { url } = api.server;
  const joinServer = async (name: string) => {
    await install(name, 'server', await api.addServer({ name, version: options.version }), url);
  };
  const joinAgent = (name: string) => install(name, 'agent', undefined, url);
  await Promise.all([...others.map(joinServer), ...names.agents.map(joinAgent)]);
  await life.settled();
  api.seed(options.objects ?? defaultWorkloads(names));
}

function describeLab(lab: {
  hosts: LabHosts;
  names: Names;
  api: Api;
  artifacts: ArtifactServer;
  life: ClusterLife;
  stop: () => Promise<void>;
}): Lab {
  const { hosts, names, api, artifacts, life, stop } = lab;
  const inventoryFile = join(hosts.dir, 'inventory.yaml');
  const kubeconfigFile = join(hosts.dir, 'kubeconfig');
  const pick = (group: string[]) => group.map((name) => hosts.get(name));
  const groups = { servers: pick(names.servers), agents: pick(names.agents), proxmox: pick(names.proxmox) };
  writeFileSync(inventoryFile, inventoryText(hosts, groups));
  writeFileSync(kubeconfigFile, api.kubeconfig(), { mode: 0o600 });
  const state = () => {
    const lines = new Map<string, string>();
    for (const host of hosts.hosts)
      for (const [path, what] of treeOf(host.root)) lines.set(`${host.name}:${path}`, what);
    // Taking and giving back the playbook's lock is no change to the cluster.
    const changes = api.mutations.filter((entry) => !/\/kube-system\/leases(\/reeve-|$)/.test(entry.path));
    changes.forEach((entry, index) => {
      lines.set(`api write ${index}`, `${entry.method} ${entry.path}`);
    });
    return lines;
  };
  return {
    dir: hosts.dir,
    hosts,
    api,
    artifacts,
    inventoryFile,
    kubeconfigFile,
    sshKeyFile: hosts.privateKeyFile,
    knownHostsFile: hosts.knownHostsFile,
    channelUrl: artifacts.channelUrl,
    installScriptUrl: artifacts.installScriptUrl,
    state,
    fingerprint: () => hashOf([...state()].map(([path, what]) => `${path} ${what}`)),
    apiOutage: (until, server = names.servers[0]) => life.outage(server ?? '', until),
    settled: () => life.settled(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${word}-${index + 1}`);
}

function hostSpecs(names: Names, { shell, become, proxmox }: FullLabOptions): HostSpec[] {
  const common = { ...(shell ? { shell } : {}), ...(become ? { become } : {}) };
  const inContainers = new Set([
    ...(proxmox ? names.agents : []),
    ...(proxmox?.containers === 'all' ? names.servers : []),
  ]);
  const members = [...names.servers, ...names.agents].map((name, index): HostSpec => {
    if (!inContainers.has(name)) return { name, ...common };
    const node = names.proxmox[index % names.proxmox.length] ?? '';
    return { name, ...common, container: { node, vmid: 101 + index } };
  });
  return [...names.proxmox.map((name): HostSpec => ({ name, ...common, proxmox: true })), ...members];
}

/** What a small cluster runs: DNS, something on every node, and a service that a budget guards. */
function defaultWorkloads({ servers, agents }: Names): Seeds {
  const all = [...servers, ...agents];
  const workers = agents.length > 0 ? agents : servers;
  return [
    deployment('coredns', { namespace: 'kube-system', nodes: servers.slice(0, 1), behaviour: { terminatesAfter: 1 } }),
    daemonset('node-agent', { namespace: 'kube-system', nodes: all }),
    deployment('web', { nodes: workers, replicas: workers.length + 1, behaviour: { terminatesAfter: 2 } }),
    pdb('web', { maxUnavailable: 1 }),
    deployment('worker', {
      nodes: workers,
      replicas: workers.length,

      behaviour: { terminatesAfter: 1 },
    }),
  ];
}
