import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hosts } from './hosts.ts';
import type { Workload } from './workload.ts';

export interface Command {
  argv: string[];
  env: Record<string, string>;
  cwd?: string;
}

export interface Contender {
  name: string;
  command(workload: Workload, hosts: Hosts): Command;
}

const ROOT = join(import.meta.dirname, '../..');

/** The command line of reeve as it is installed: the built package. */
export const REEVE = [process.execPath, join(ROOT, 'dist/runner/cli/main.js')];

const MITOGEN = [
  '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy',
  '/usr/lib/python3/dist-packages/ansible/plugins/strategy/mitogen_linear.py',
].find((path) => existsSync(path));

/** Output of a program that only tells its version; undefined when it is not installed. */
export function firstLine(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0];
  } catch {
    return undefined;
  }
}

export const hasAnsible = firstLine('ansible-playbook', '--version') !== undefined;
export const hasMitogen = hasAnsible && MITOGEN !== undefined;

export const reeve: Contender = {
  name: 'reeve',
  command: (workload, hosts) => ({
    argv: [...REEVE, 'run', workload.reeve, '-i', hosts.reeve],
    env: { REEVE_RUNS: join(workload.folder, 'runs') },
    cwd: workload.folder,
  }),
};

const ssh = (hosts: Hosts) =>
  `-i ${hosts.keys.privateKey} -p ${hosts.port} -l ${hosts.keys.user} -o BatchMode=yes -o UserKnownHostsFile=${hosts.knownHosts}`;

/** One ssh a host, fifty at a time, each with the same script on its standard input. */
const floor: Contender = {
  name: 'floor',
  command: (workload, hosts) => {
    const list = join(workload.folder, `list-${hosts.names.length}-${hosts.port}`);
    writeFileSync(list, hosts.names.map((name, n) => `${hosts.addresses[n]} ${hosts.base(name)} ${name}\n`).join(''));
    const one = `ssh -F none ${ssh(hosts)} "$0" sh -s "$1" "$2" <"${workload.script}"`;
    return { argv: ['xargs', '-P', '50', '-a', list, '-n', '3', 'sh', '-c', one], env: {} };
  },
};

const ansible: Contender = {
  name: 'Ansible',
  command: (workload, hosts) => ({
    argv: ['ansible-playbook', '-i', hosts.ansible, workload.ansible],
    env: {
      ANSIBLE_PIPELINING: '1',
      ANSIBLE_FORKS: '50',
      ANSIBLE_SSH_ARGS: `-o ControlMaster=auto -o ControlPersist=5s -o UserKnownHostsFile=${hosts.knownHosts} -F none`,
      // Its ten seconds to connect are not enough for fifty logins on a busy machine.
      ANSIBLE_TIMEOUT: '60',
      ANSIBLE_NOCOLOR: '1',
    },
    cwd: workload.folder,
  }),
};

const mitogen: Contender = {
  name: 'Mitogen',
  command: (workload, hosts) => {
    const plain = ansible.command(workload, hosts);
    return {
      ...plain,
      env: {
        ...plain.env,
        ANSIBLE_STRATEGY: 'mitogen_linear',
        ANSIBLE_STRATEGY_PLUGINS: '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy',
        ANSIBLE_SSH_ARGS: `-o UserKnownHostsFile=${hosts.knownHosts} -F none`,
      },
    };
  },
};

/** Those that are installed here; reeve first. */
export const CONTENDERS: readonly Contender[] = [
  reeve,
  floor,
  ...(hasMitogen ? [mitogen] : []),
  ...(hasAnsible ? [ansible] : []),
];
