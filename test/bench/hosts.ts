import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Keys } from '../support/sshd.ts';

/** Hosts that all are this machine, each with an address and a folder of its own. */
export interface Hosts {
  names: string[];
  addresses: string[];
  port: number;
  /** Inventories in reeve's and in Ansible's form. */
  reeve: string;
  ansible: string;
  knownHosts: string;
  keys: Keys;
  base(name: string): string;
  /** Every host as it was before the first run. */
  clean(): void;
}

/** `127.0.<third>.N`, more than 250 hosts in the blocks above. */
export function addressOf(number: number, third = 2): string {
  return `127.0.${third + Math.floor(number / 250)}.${(number % 250) + 1}`;
}

export function makeHosts(folder: string, count: number, port: number, keys: Keys, hostKey: string, third = 2): Hosts {
  const names = Array.from({ length: count }, (_, n) => `node-${n + 1}`);
  const addresses = names.map((_, n) => addressOf(n, third));
  const root = join(folder, `hosts-${count}`);
  const knownHosts = join(folder, `known-hosts-${count}-${port}`);
  writeFileSync(knownHosts, addresses.map((address) => `[${address}]:${port} ${hostKey}`).join(''));
  const base = (name: string) => join(root, name);
  const line = (name: string, n: number) =>
    `        ${name}: { ansible_host: ${addresses[n]}, ansible_port: ${port}, base: "${base(name)}", name: "${name}"`;
  const common = `      ansible_user: ${keys.user}\n      ansible_ssh_private_key_file: ${keys.privateKey}\n`;
  const inventory = (head: string, vars: string, extra: (name: string) => string) =>
    `${head}all:\n    vars:\n${common}${vars}    hosts:\n${names.map((name, n) => `${line(name, n)}${extra(name)} }`).join('\n')}\n`;
  const reeve = join(folder, `reeve-${count}-${port}.yaml`);
  writeFileSync(
    reeve,
    inventory(
      'reeve: 1\n',
      `      ssh_known_hosts_file: ${knownHosts}\n      ssh_host_key_checking: strict\n`,
      (name) => `, reeve_dir: "${join(base(name), 'reeve')}"`,
    ),
  );
  const ansible = join(folder, `ansible-${count}-${port}.yaml`);
  writeFileSync(
    ansible,
    inventory('', '      ansible_python_interpreter: /usr/bin/python3\n', () => ''),
  );
  const clean = () => {
    rmSync(root, { recursive: true, force: true });
    for (const name of names) mkdirSync(base(name), { recursive: true });
  };
  return { names, addresses, port, reeve, ansible, knownHosts, keys, base, clean };
}
