import { StatusError } from './https-json.ts';
import type { Get } from './proxmox.ts';

/** A guest as `GET /cluster/resources?type=vm` lists it. */
export interface Resource {
  type: 'lxc' | 'qemu';
  vmid: number;
  node: string;
  status: string;
  name?: string;
  pool?: string;
  /** Separated by semicolons. */
  tags?: string;
  template?: number;
}

/** An entry of `GET /cluster/status`: the cluster itself, or a node. */
export interface NodeStatus {
  type: string;
  name: string;
  ip?: string;
  online?: number;
}

type Variables = Record<string, unknown>;

export function nodeVariables({ name, ip, online }: NodeStatus): Variables {
  return { ...(ip ? { address: ip } : {}), proxmox: { node: name, online: online !== 0 } };
}

/** A container needs no address: its node runs commands in it. */
export function containerVariables(resource: Resource): Variables {
  return { transport: 'pct', pct_node: resource.node, vmid: resource.vmid, proxmox: facts(resource) };
}

/** A virtual machine is reached over SSH at the address it tells, or that was set for it; else by its name. */
export async function guestVariables(resource: Resource, get: Get): Promise<Variables> {
  const address = (await agentAddress(resource, get)) ?? (await configuredAddress(resource, get));
  return { transport: 'ssh', ...(address ? { address } : {}), proxmox_vmid: resource.vmid, proxmox: facts(resource) };
}

function facts({ type, vmid, node, status, pool, tags }: Resource): Variables {
  return {
    type,
    vmid,
    node,
    status,
    ...(pool ? { pool } : {}),
    tags: (tags ?? '').split(/[;,\s]+/).filter((tag) => tag !== ''),
  };
}

/**
 * Undefined where the API answers with an error: no agent, no right to see it, which says nothing about the rest. That it
 * does not answer is another thing: a machine without its address would be taken for one that has none.
 */
async function ifGiven<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

interface Interface {
  name?: string;
  'ip-addresses'?: { 'ip-address-type'?: string; 'ip-address'?: string }[];
}

async function agentAddress({ node, vmid, status }: Resource, get: Get): Promise<string | undefined> {
  if (status !== 'running') return undefined;
  const path = `nodes/${encodeURIComponent(node)}/qemu/${vmid}/agent/network-get-interfaces`;
  const answer = await ifGiven(get<{ result?: Interface[] }>(path));
  const addresses = (answer?.result ?? [])
    .filter(({ name }) => !/^(?:lo|docker|cni|flannel|veth|br-|kube|cali)/.test(name ?? ''))
    .flatMap((device) => device['ip-addresses'] ?? []);
  const usable = addresses.filter((entry) => !/^(?:127\.|169\.254\.|fe80:|::1$)/i.test(entry['ip-address'] ?? ''));
  const v4 = usable.find((entry) => entry['ip-address-type'] === 'ipv4');
  return (v4 ?? usable[0])?.['ip-address'];
}

/** `ipconfig0: ip=192.0.2.7/24,gw=…` of cloud-init. */
async function configuredAddress({ node, vmid }: Resource, get: Get): Promise<string | undefined> {
  const path = `nodes/${encodeURIComponent(node)}/qemu/${vmid}/config`;
  const config = await ifGiven(get<Variables>(path));
  const written =
    config &&
    Object.keys(config)
      .sort()
      .filter((key) => /^ipconfig\d+$/.test(key));
  const found = written?.map((key) => /(?:^|,)ip6?=([0-9a-f.:]+)(?:\/\d+)?(?:,|$)/i.exec(String(config![key]))?.[1]);
  return found?.find((address) => address !== undefined);
}
