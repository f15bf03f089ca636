import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setContainer, switchContainer } from './containers.ts';
import { embeddedServer } from './embedded-server.ts';
import { Gate } from './gate.ts';
import { createRoot, hostEnvironment, shellCommand } from './host-root.ts';
import { generateKey, type KeyPair } from './keys.ts';
import { createHost } from './lab-host.ts';
import { startSshd } from './openssh-server.ts';
import { PipeMaker } from './pipes.ts';
import { killProcessesOf } from './processes.ts';
import type { HostSpec, LabHost, LabHosts, StartHostsOptions, UnitEvent } from './types.ts';
import { watchEvents } from './watch-events.ts';

const loopback = '127.0.0.1';

/**
 * Starts hosts that behave like machines of a cluster: real SSH, a real `sh`, and stand-ins for systemd, k3s and Proxmox in a
 * folder each. Everything is gone after `stop()`, also when the process exits or is interrupted before.
 */
export async function startHosts(options: StartHostsOptions): Promise<LabHosts> {
  // The real path, since the working folder of a process is compared with it.
  const dir = realpathSync(options.dir ?? mkdtempSync(join(tmpdir(), 'reeve-lab-')));
  const client = generateKey('reeve-lab');
  const privateKeyFile = join(dir, 'id_ed25519');
  const knownHostsFile = join(dir, 'known_hosts');
  writeFileSync(privateKeyFile, client.private, { mode: 0o600 });
  const hosts: LabHost[] = [];
  const endings: (() => void)[] = [];
  const removeAll = () => {
    for (const end of endings.splice(0)) end();
    for (const host of hosts) killProcessesOf(host.root);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const forget = onExit(removeAll);
  const build: Build = { dir, client, options, hosts, endings };
  try {
    for (const spec of options.hosts) hosts.push(await startHost(spec, build));
    for (const guest of hosts.filter((host) => host.container)) setContainer(nodeOf(guest, hosts), guest, 'running');
  } catch (error) {
    forget();
    removeAll();
    throw error;
  }
  writeFileSync(
    knownHostsFile,
    hosts
      .filter((host) => host.port !== 0)
      .map(knownHost)
      .join(''),
  );
  return {
    dir,
    backend: options.backend ?? 'embedded',
    hosts,
    privateKeyFile,
    publicKey: client.public,
    knownHostsFile,
    get(name) {
      const host = hosts.find((each) => each.name === name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    async stop() {
      forget();
      removeAll();
    },
  };
}

function nodeOf(guest: LabHost, hosts: LabHost[]): LabHost {
  const node = hosts.find((host) => host.name === guest.container?.node);
  if (!node) throw new Error(`container ${guest.name} names an unknown node`);
  return node;
}

interface Build {
  dir: string;
  client: KeyPair;
  options: StartHostsOptions;
  /** Grows as hosts start. */
  hosts: LabHost[];
  /** What to do, in this order, when the lab ends. */
  endings: (() => void)[];
}

async function startHost(spec: HostSpec, build: Build): Promise<LabHost> {
  if (spec.address && !/^127(\.\d+){3}$/.test(spec.address)) throw new TypeError('a lab listens on loopback only');
  const root = join(build.dir, spec.name);
  mkdirSync(root);
  createRoot(root, spec);
  const hostKey = generateKey(spec.name);
  const traffic: Traffic = { channels: 0, commands: [] };
  const gate = spec.container ? undefined : await startService(root, spec, hostKey, traffic, build);
  const host = createHost({
    root,
    spec,
    address: spec.address ?? loopback,
    hostKey: hostKey.public,
    rebootMs: build.options.rebootMs ?? 300,
    gate,
    channels: () => traffic.channels,
    commands: traffic.commands,
    onDown: () => build.options.onDown?.(spec.name),
    guests: () => build.hosts.filter((each) => each.container?.node === spec.name),
  });
  build.endings.push(watchEvents(join(root, 'lab/events'), (words) => onLine(host, words, build)));
  return host;
}

interface Traffic {
  channels: number;
  commands: string[];
}

/** The host's SSH service, real or embedded, behind its gate. */
async function startService(
  root: string,
  spec: HostSpec,
  hostKey: KeyPair,
  traffic: Traffic,
  build: Build,
): Promise<Gate> {
  const serve = await (build.options.backend === 'openssh' ? openssh : embedded)();
  const gate = new Gate(spec.address ?? loopback, serve);
  build.endings.unshift(() => gate.end());
  await gate.listen();
  return gate;

  async function openssh() {
    if (spec.password !== undefined) throw new Error('a real sshd lets nobody in by a password of the lab');
    const folder = join(root, 'lab/sshd');
    mkdirSync(folder, { mode: 0o700 });
    const sshd = await startSshd({
      folder,
      hostKey,
      authorizedKey: build.client.public,
      sessionCommand: join(root, 'lab/bin/session'),
    });
    build.endings.push(sshd.stop);
    return sshd.serve;
  }

  async function embedded() {
    const env = hostEnvironment(root, spec);
    return embeddedServer({
      user: userInfo().username,
      hostKey,
      authorizedKey: build.client.public,
      password: spec.password,
      launch: (command) => ({ argv: shellCommand(root, spec, command), env, cwd: join(root, 'root') }),
      pipes: new PipeMaker(join(root, 'lab/pipes')),
      onChannel: () => traffic.channels++,
      onCommand: (command) => traffic.commands.push(command),
    }).serve;
  }
}

/** A line a stand-in wrote to lab/events. */
function onLine(host: LabHost, words: string[], { options, hosts }: Build): void {
  const [kind, first, second, version, role] = words;
  if (kind === 'unit') {
    options.onUnit?.({
      host: host.name,
      unit: first ?? '',
      state: second as UnitEvent['state'],
      version: version ?? '',
      role: role ?? '',
    });
    return;
  }
  if (kind === 'reboot') void host.reboot();
  if (kind === 'poweroff') void host.stop();
  const guest = hosts.find((each) => each.container?.node === host.name && `${each.container.vmid}` === second);
  if (kind === 'pct' && guest) void switchContainer(host, guest, first ?? '');
  options.onEvent?.({ host: host.name, words });
}

function knownHost(host: LabHost): string {
  const [type, key] = host.hostKey.split(' ');
  return `[${host.address}]:${host.port} ${type} ${key}\n`;
}

/** Runs `act` when this process exits, also by SIGINT, SIGTERM or SIGHUP. Returns a function that takes it back. */
function onExit(act: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (signal: NodeJS.Signals) => {
    act();
    forget();
    // With our listener gone the signal does what it would have done; others who listen decide for themselves.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const forget = () => {
    process.off('exit', act);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on('exit', act);
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
