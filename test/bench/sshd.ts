import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** The keys by which every contender logs in. */
export interface Keys {
  user: string;
  privateKey: string;
  hostKey: string;
  authorized: string;
}

export interface Server {
  pid: number;
  port: number;
  stop(): Promise<void>;
}

export function makeKeys(folder: string): Keys {
  const keys = {
    user: userInfo().username,
    privateKey: join(folder, 'key'),
    hostKey: join(folder, 'host_key'),
    authorized: join(folder, 'authorized_keys'),
  };
  for (const file of [keys.privateKey, keys.hostKey]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file]);
  }
  writeFileSync(keys.authorized, readFileSync(`${keys.privateKey}.pub`), { mode: 0o600 });
  return keys;
}

/**
 * A real OpenSSH server on every 127.0.0.0/8 address. `many` lifts the limits on connections and sessions; otherwise they
 * are those of a stock installation.
 */
export async function startServer(folder: string, keys: Keys, many: boolean): Promise<Server> {
  if (!SSHD) throw new Error('the benchmark needs openssh-server');
  // Its folder for privilege separation is made by the service manager, which this does without.
  if (userInfo().uid === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const port = await freePort();
  // A home of its own: what this machine's ~/.bashrc does at each login is no part of the comparison.
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const file = join(folder, many ? 'sshd_many' : 'sshd_stock');
  writeFileSync(
    file,
    `${many ? 'MaxSessions 1000\nMaxStartups 4000\n' : ''}Port ${port}
ListenAddress 0.0.0.0
HostKey ${keys.hostKey}
AuthorizedKeysFile ${keys.authorized}
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
SetEnv HOME=${home}
Subsystem sftp internal-sftp
`,
  );
  const child = spawn(SSHD, ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await listening(port);
  return { pid: child.pid!, port, stop: () => stop(child) };
}

/** Clock ticks a second, as the kernel counts CPU for programs: 100 on every Linux. */
const TICKS = 100;

/** seconds of CPU that ended children of a process have used, and theirs. */
export function childrenCpu(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything; behind it, the 14th and 15th field are cutime and cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '0.0.0.0', () => {
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
