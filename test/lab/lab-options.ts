import type { Seeds } from './api/cluster.ts';
import type { Resource } from './api/resources.ts';
import type { Backend, ShellName, UnitEvent } from './hosts/types.ts';

export interface LabOptions {
  /** How many servers, named server-1, server-2, …; 1 unless told. */
  servers?: number;
  /** How many agents, named agent-1, agent-2, …; 2 unless told. */
  agents?: number;
  /** What is installed at the start; v1.30.4+k3s1 unless told. */
  version?: string;
  /** Versions that can be downloaded, beside the installed one. */
  available?: string[];
  /** Channels beyond `stable`, `latest` and one per minor. */
  channels?: Record<string, string>;
  datastore?: 'etcd' | 'sqlite';
  backend?: Backend;
  shell?: ShellName;
  /** Gives every host stand-ins for sudo, su and doas. */
  become?: boolean;
  /** The cluster's token. */
  token?: string;
  /** Real seconds per cluster second in the API; see its own documentation. */
  scale?: number;
  /** How long k3s takes from its start to ready, in milliseconds; 200 unless told. */
  startMs?: number;
  /** How long a rebooting host is away, in milliseconds. */
  rebootMs?: number;
  /** Puts the cluster's hosts (or only its agents) into containers on that many Proxmox nodes, named pve-1, pve-2, … */
  proxmox?: { nodes: number; containers?: 'all' | 'agents' };
  /** Arguments of every server's and every agent's unit. */
  serverArgs?: string[];
  agentArgs?: string[];
  /** What runs in the cluster; without it a few workloads that a drain has to move. */
  objects?: Seeds;
  resources?: readonly Resource[];
  /** Told of every unit's steps, from the installation on: the moment to break something. */
  onUnit?: (event: UnitEvent) => void;
}

/** The options with their defaults. */
export function withDefaults(options: LabOptions) {
  return {
    servers: 1,
    agents: 2,
    version: 'v1.30.4+k3s1',
    available: ['v1.30.8+k3s1', 'v1.31.5+k3s1', 'v1.32.1+k3s1'],
    datastore: 'etcd' as const,
    token: 'K10lab0000::server:lab-cluster-token',
    startMs: 200,
    serverArgs: ['--disable', 'traefik', '--write-kubeconfig-mode', '644'],
    agentArgs: ['--node-label', 'lab.reeve/pool=agents'],
    ...options,
  };
}

export type FullLabOptions = ReturnType<typeof withDefaults>;
