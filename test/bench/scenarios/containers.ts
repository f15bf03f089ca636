import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { reeve } from '../contenders.ts';
import type { Hosts } from '../hosts.ts';
import { measureGood } from '../measure.ts';
import { type Section, seconds } from '../report.ts';
import { writeWorkload } from '../workload.ts';

/** Three, the other way round: many containers behind the one sshd of their Proxmox node, with its stock limits. */
export async function containers(bench: Bench): Promise<Section> {
  const count = bench.smoke ? 12 : 30;
  const folder = bench.place('containers');
  const workload = writeWorkload(folder);
  const rows: string[][] = [];
  for (const transport of ['ssh', 'openssh']) {
    const node = bench.hosts(folder, 1, bench.stock.port);
    const { inventory, clean } = behind(folder, node, count, transport);
    const { argv, env, cwd } = reeve.command(workload, { ...node, reeve: inventory });
    const command = [...argv, '--limit', 'containers'];
    clean();
    for (const which of ['first', 'second']) {
      const before = bench.stock.log().length;
      const { wall, cpu } = await measureGood(command, env, cwd);
      const told = bench.stock.log().slice(before);
      const times = (pattern: RegExp) => `${[...told.matchAll(pattern)].length}`;
      rows.push([
        ...[`${count}`, transport, which, seconds(wall), seconds(cpu), times(/^Accepted publickey/gm)],
        // «drop connection #10 … past MaxStartups», and what sshd says once when it begins to.
        ...[times(/past MaxStartups|beginning MaxStartups/g), times(/no more sessions/g)],
      ]);
    }
    bench.note(`  ${count} containers, ${transport}`);
  }
  return {
    title: '3b. Many containers behind one node',
    text: 'The twenty tasks in containers that are reached through `pct exec` on one node, whose sshd has its stock limits (MaxSessions 10, MaxStartups 10:30:100). Logins and refusals as that sshd tells them.',
    columns: [
      'containers',
      'transport',
      'run',
      'wall',
      'control CPU',
      'logins',
      'connections refused',
      'sessions refused',
    ],
    rows,
  };
}

function behind(folder: string, node: Hosts, count: number, transport: string) {
  const names = Array.from({ length: count }, (_, n) => `ct-${n + 100}`);
  const base = (name: string) => join(folder, 'containers', name);
  const lines = names.map(
    (name, n) =>
      `        ${name}: { vmid: ${n + 100}, base: "${base(name)}", name: "${name}", reeve_dir: "${base(name)}/reeve" }`,
  );
  const inventory = join(folder, `containers-${transport}.yaml`);
  writeFileSync(
    inventory,
    `reeve: 1
all:
  children:
    nodes:
      vars:
        transport: ${transport}
        ssh_known_hosts_file: ${node.knownHosts}
        ssh_host_key_checking: strict
      hosts:
        pve-1: { address: ${node.addresses[0]}, ssh_port: ${node.port}, ssh_user: ${node.keys.user}, ssh_private_key_file: ${node.keys.privateKey} }
    containers:
      vars: { transport: pct, pct_node: pve-1 }
      hosts:
${lines.join('\n')}
`,
  );
  const clean = () => {
    rmSync(join(folder, 'containers'), { recursive: true, force: true });
    for (const name of names) mkdirSync(base(name), { recursive: true });
  };
  return { inventory, clean };
}
