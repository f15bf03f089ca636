import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakePct } from '../support/fake-pct.ts';
import { type Keys, makeKeys, type Sshd, startSshd } from '../support/sshd.ts';
import type { Contender } from './contenders.ts';
import { type Hosts, makeHosts } from './hosts.ts';

/** What the scenarios share. */
export interface Bench {
  folder: string;
  keys: Keys;
  /** The server without limits, which answers for every host. */
  server: Sshd;
  /** One as it is installed, with its limits. */
  stock: Sshd;
  /** Interleaved runs of each contender. */
  runs: number;
  /** Those to compare; reeve first. */
  contenders: readonly Contender[];
  /** A short form that judges no times. */
  smoke: boolean;
  /** A fresh folder for one scenario. */
  place(name: string): string;
  hosts(folder: string, count: number, port?: number, third?: number): Hosts;
  note(message: string): void;
  close(): Promise<void>;
}

export async function openBench(options: Pick<Bench, 'runs' | 'smoke' | 'contenders'>): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-bench-'));
  const keys = makeKeys(folder);
  // A home of its own: what this machine's ~/.bashrc does at each login is no part of the comparison.
  const home = join(folder, 'home');
  mkdirSync(home);
  // A Proxmox node has pct; the containers of this one are this machine.
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'pct'), `#!/bin/sh\n${fakePct({ keepEnv: true, running: '1??' })}`, { mode: 0o755 });
  const common = `SetEnv HOME=${home} PATH=${programs}:/usr/bin:/bin\nSubsystem sftp internal-sftp\n`;
  const start = (name: string, config: string) =>
    startSshd({ keys, file: join(folder, name), config: config + common, address: '0.0.0.0' });
  const server = await start('sshd_many', 'MaxSessions 1000\nMaxStartups 4000\n');
  // VERBOSE tells of each connection that it refuses.
  const stock = await start('sshd_stock', 'LogLevel VERBOSE\n');
  const hostKey = readFileSync(`${keys.hostKey}.pub`, 'utf8');
  return {
    ...options,
    folder,
    keys,
    server,
    stock,
    place(name) {
      mkdirSync(join(folder, name), { recursive: true });
      return join(folder, name);
    },
    hosts: (place, count, port = server.port, third = 2) => makeHosts(place, count, port, keys, hostKey, third),
    note: (message) => process.stderr.write(`${message}\n`),
    async close() {
      await Promise.all([server.halt(), stock.halt()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
