import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSpec } from '../../../../runner/connect/types.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** Why the tests over a real OpenSSH server cannot run here; undefined when they can. */
export const noSshd: string | undefined = findReason();

function findReason(): string | undefined {
  if (!SSHD) return 'no sshd is installed';
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no ssh-keygen is installed';
  }
  // Its folder for privilege separation is made by the service manager, which tests do without.
  if (userInfo().uid === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  return undefined;
}

export interface TestServer {
  port: number;
  folder: string;
  keyFile: string;
  knownHosts: string;
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
  const keyFile = join(folder, 'key');
  const hostKey = join(folder, 'host_key');
  for (const file of [keyFile, hostKey]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
  }
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${keyFile}.pub`), { mode: 0o600 });
  const port = await freePort();
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  const file = join(folder, 'sshd_config');
  writeFileSync(
    file,
    `${config}
Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
AuthorizedKeysFile ${folder}/authorized_keys
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
`,
  );
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    child = spawn(SSHD!, ['-D', '-e', '-f', file], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
    await listening(port);
  }

  async function halt(): Promise<void> {
    if (!child || child.exitCode !== null) return;
    const sessions = sessionsOf(child.pid!);
    const gone = new Promise((resolve) => child!.once('exit', resolve));
    child.kill('SIGKILL');
    for (const pid of sessions) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
    await gone;
    child = undefined;
  }

  await start();
  return {
    port,
    folder,
    keyFile,
    knownHosts,
    start,
    halt,
    spec: (extra = {}) => ({
      host: 'sshd',
      transport: 'ssh',
      address: '127.0.0.1',
      port,
      user: userInfo().username,
      privateKeyFile: keyFile,
      knownHostsFile: knownHosts,
      hostKeyChecking: 'strict',
      ...extra,
    }),
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The sshd processes that serve one connection each. */
export function sessionsOf(pid: number): number[] {
  try {
    const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    const rows = text
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    const found = rows.filter(([, parent]) => parent === pid).map(([one]) => one!);
    return found.flatMap((one) => [one, ...rows.filter(([, parent]) => parent === one).map(([two]) => two!)]);
  } catch {
    return [];
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}
