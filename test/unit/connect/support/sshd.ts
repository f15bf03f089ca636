import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSpec } from '../../../../runner/connect/types.ts';
import { missing, missingSshd } from '../../../support/missing.ts';
import { makeKeys, startSshd as startServer } from '../../../support/sshd.ts';

/** Why the tests over a real OpenSSH server cannot run here; undefined when they can. */
export const noSshd: string | undefined = missingSshd() ?? missing('ssh', 'ssh-keygen') ?? (await tryLogin());

/** Whether the system's own ssh gets in: a server without root lets in its own user only, and not every account. */
async function tryLogin(): Promise<string | undefined> {
  const server = await startSshd();
  try {
    const options = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${server.knownHosts}`];
    const there = ['-i', server.keyFile, '-p', String(server.port), '127.0.0.1', 'exit 0'];
    execFileSync('ssh', ['-F', 'none', ...options.flatMap((one) => ['-o', one]), ...there], {
      stdio: 'ignore',
      timeout: 100_000,
    });
    return undefined;
  } catch {
    return 'sshd does not let the user who runs the tests in';
  } finally {
    await server.stop();
  }
}

export interface TestServer {
  port: number;
  folder: string;
  keyFile: string;
  knownHosts: string;
  /** What the server said. */
  log(): string;
  /** A spec that logs in with the key. */
  spec(extra?: Partial<ConnectionSpec>): ConnectionSpec;
  /** Ends the server and every session of it, as a power cut does; the shells' own children go on. */
  halt(): Promise<void>;
  /** Halts it and removes its folder. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/** A real OpenSSH server on a free port of 127.0.0.1, with keys and files in a folder of its own. */
export async function startSshd(config = ''): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-sshd-'));
  const keys = makeKeys(folder);
  const server = await startServer({ keys, file: join(folder, 'sshd_config'), config });
  const { port, halt, start, log } = server;
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(`${keys.hostKey}.pub`, 'utf8')}`);
  return {
    ...{ port, folder, keyFile: keys.privateKey, knownHosts, halt, start, log },
    spec: (extra = {}) => ({
      host: 'sshd',
      transport: 'ssh',
      address: '127.0.0.1',
      port,
      user: keys.user,
      privateKeyFile: keys.privateKey,
      knownHostsFile: knownHosts,
      hostKeyChecking: 'strict',
      // None of the tests is about a login that takes its time on a busy machine.
      connectTimeout: 100_000,
      ...extra,
    }),
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
