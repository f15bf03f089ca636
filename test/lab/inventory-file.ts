import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LabHost, LabHosts } from './hosts/types.ts';

export interface InventoryGroups {
  servers: LabHost[];
  agents: LabHost[];
  proxmox: LabHost[];
}

/** The lab as an inventory in reeve's own dialect. */
export function inventoryText(lab: LabHosts, groups: InventoryGroups): string {
  const children = Object.entries(groups)
    .filter(([name, hosts]) => name !== 'proxmox' || hosts.length > 0)
    .map(([name, hosts]: [string, LabHost[]]) => [
      name,
      { hosts: Object.fromEntries(hosts.map((host) => [host.name, hostVariables(lab, host)])) },
    ]);
  return stringify({ reeve: 1, all: { children: Object.fromEntries(children) } });
}

function hostVariables(lab: LabHosts, host: LabHost): Record<string, string | number> {
  const below = (folder: string) => join(host.root, folder);
  const folders = {
    k3s_bin_dir: below('usr/local/bin'),
    k3s_systemd_dir: below('etc/systemd/system'),
    k3s_data_dir: below('var/lib/rancher/k3s'),
    k3s_config_dir: below('etc/rancher/k3s'),
    reeve_dir: below('var/lib/reeve'),
  };
  if (host.container) {
    // The address is where its node reaches the container, to tunnel to the API.
    return {
      transport: 'pct',
      address: '127.0.0.1',
      pct_node: host.container.node,
      vmid: host.container.vmid,
      ...folders,
    };
  }
  return {
    transport: 'ssh',
    address: host.address,
    ssh_port: host.port,
    ssh_user: host.user,
    ssh_private_key_file: lab.privateKeyFile,
    ssh_known_hosts_file: lab.knownHostsFile,
    // No test is about a login that takes its time on a busy machine.
    connect_timeout: '100s',
    ...folders,
  };
}
