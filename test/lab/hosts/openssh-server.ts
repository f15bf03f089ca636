import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import type { KeyPair } from './keys.ts';
import { findProgram } from './shells.ts';

export interface OpensshOptions {
  /** Folder of this service's own files; must exist. */
  folder: string;
  hostKey: KeyPair;
  authorizedKey: string;
  /** Runs instead of what the client asked for, which it finds in SSH_ORIGINAL_COMMAND. */
  sessionCommand: string;
}

export interface OpensshServer {
  serve(stream: Socket | Duplex): void;
  stop(): void;
}

const attempts = 5;

/** Starts a real sshd on a free loopback port, as root or not, with nothing of the machine's own SSH set-up. */
export async function startSshd(options: OpensshOptions): Promise<OpensshServer> {
  const program = findProgram('sshd');
  if (!program) throw new Error('this machine has no sshd');
  // Debian's sshd refuses to start as root without its privilege separation folder, which only its service makes.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const file = (name: string, text: string) => {
    const path = join(options.folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const hostKey = file('host_key', options.hostKey.private);
  const keys = file('authorized_keys', `${options.authorizedKey}\n`);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const config = configuration(options, hostKey, keys, port);
    const configFile = file('sshd_config', config);
    // Newer sshd punishes an address for failed logins, and all clients of a lab have the same one.
    writeFileSync(configFile, `${config}PerSourcePenalties no\n`);
    if (spawnSync(program, ['-t', '-f', configFile]).status !== 0) writeFileSync(configFile, config);
    try {
      const child = await launch(program, configFile);
      return {
        serve: (stream) => splice(stream, connect({ host: '127.0.0.1', port, noDelay: true })),
        stop: () => child.kill(),
      };
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

/** The home is for the login shell that starts the session command: what a ~/.bashrc does may take longer than the test. */
function configuration(options: OpensshOptions, hostKey: string, keys: string, port: number): string {
  return `ListenAddress 127.0.0.1:${port}
HostKey ${hostKey}
AuthorizedKeysFile ${keys}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
UseDNS no
MaxStartups 200
AcceptEnv LANG LC_*
ForceCommand ${options.sessionCommand}
SetEnv HOME=${options.folder}
`;
}

/** Resolves once it listens; rejects with what it said when it does not. */
function launch(program: string, configFile: string): Promise<ChildProcess> {
  const child = spawn(program, ['-D', '-e', '-f', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`sshd did not start: ${said.join(' ')}`)));
    createInterface({ input: child.stderr! }).on('line', (line) => {
      said.push(line);
      if (line.startsWith('Server listening')) resolve(child);
    });
  });
}

function splice(stream: Socket | Duplex, upstream: Socket): void {
  stream.pipe(upstream).pipe(stream);
  for (const [one, other] of [
    [stream, upstream],
    [upstream, stream],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

/** A port that was free a moment ago: sshd has to be told one. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => (typeof bound === 'object' && bound ? resolve(bound.port) : reject(new Error('no port'))));
    });
  });
}
