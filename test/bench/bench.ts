import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contenders.ts';
import { type Hosts, makeHosts } from './hosts.ts';
import { type Keys, makeKeys, type Server, startServer } from './sshd.ts';

/** What the scenarios share. */
export interface Bench {
  folder: string;
  keys: Keys;
  /** The server without limits, which answers for every host. */
  server: Server;
  /** One as it is installed, with its limits. */
  stock: Server;
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
  const server = await startServer(folder, keys, true);
  const stock = await startServer(folder, keys, false);
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
      await Promise.all([server.stop(), stock.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
