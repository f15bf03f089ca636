import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../lab/hosts/shells.ts';
import { missingSshd } from './missing.ts';

/** A server's own key, and the one by which its user logs in. */
export interface Keys {
  user: string;
  privateKey: string;
  hostKey: string;
  authorized: string;
}

export function makeKeys(folder: string): Keys {
  const keys = {
    user: userInfo().username,
    privateKey: join(folder, 'key'),
    hostKey: join(folder, 'host_key'),
    authorized: join(folder, 'authorized_keys'),
  };
  for (const file of [keys.privateKey, keys.hostKey]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
  }
  writeFileSync(keys.authorized, readFileSync(`${keys.privateKey}.pub`), { mode: 0o600 });
  return keys;
}

export interface Sshd {
  pid: number;
  port: number;
  /** What it said so far: errors, and refusals when `LogLevel` is VERBOSE. */
  log(): string;
  /** Ends the server and every session of it, as a power cut does; the shells' own children go on. */
  halt(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

export interface SshdOptions {
  keys: Keys;
  /** Where its configuration is written. */
  file: string;
  /** Lines that stand before all others, hence win. */
  config?: string;
  /** Default 127.0.0.1; 0.0.0.0 answers for every 127.x.y.z. */
  address?: string;
}

/**
 * A real OpenSSH server on a free port, which lets in the user who runs this. Its sessions have another home, unless `config`
 * has a SetEnv of its own: what somebody's ~/.bashrc does at each login may take longer than the test.
 */
export async function startSshd({ keys, file, config = '', address = '127.0.0.1' }: SshdOptions): Promise<Sshd> {
  const why = missingSshd();
  if (why) throw new Error(why);
  const program = findProgram('sshd')!;
  // Its folder for privilege separation is made by the service manager, which this does without.
  if (userInfo().uid === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const port = await freePort(address);
  writeFileSync(
    file,
    `${config}
Port ${port}
ListenAddress ${address}
HostKey ${keys.hostKey}
AuthorizedKeysFile ${keys.authorized}
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
SetEnv HOME=${dirname(file)}
`,
  );
  let child: ChildProcess | undefined;
  let log = '';

  async function start(): Promise<void> {
    child = spawn(program, ['-D', '-e', '-f', file], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr!.on('data', (text) => {
      log += text;
    });
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
    get pid() {
      return child!.pid!;
    },
    port,
    log: () => log,
    halt,
    start,
  };
}

/** The sshd processes that serve one connection each. */
function sessionsOf(pid: number): number[] {
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

export function freePort(address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Says who it is, as a client does: the server logs as an error who goes away without. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.end('SSH-2.0-probe\r\n'));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('close', () => resolve(false));
    socket.once('error', () => resolve(false));
  });
}
