import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, embeddedServer } from './embedded-server.ts';
import { Gate } from './gate.ts';
import { createRoot, hostEnvironment, shellCommand } from './host-root.ts';
import { generateKey, type KeyPair } from './keys.ts';
import { createHost } from './lab-host.ts';
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
  for (const spec of options.hosts) hosts.push(await startHost(spec, dir, client, options, endings));
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

async function startHost(
  spec: HostSpec,
  dir: string,
  client: KeyPair,
  options: StartHostsOptions,
  endings: (() => void)[],
): Promise<LabHost> {
  const root = join(dir, spec.name);
  mkdirSync(root);
  createRoot(root, spec);
  const hostKey = generateKey(spec.name);
  const commands: string[] = [];
  let channels = 0;
  const env = hostEnvironment(root, spec);
  let gate: Gate | undefined;
  if (!spec.container) {
    const server: EmbeddedServer = embeddedServer({
      user: userInfo().username,
      hostKey,
      authorizedKey: client.public,
      password: spec.password,
      launch: (command) => ({ argv: shellCommand(spec, command), env, cwd: join(root, 'root') }),
      pipes: new PipeMaker(join(root, 'lab/pipes')),
      onChannel: () => channels++,
      onCommand: (command) => commands.push(command),
    });
    gate = new Gate(loopback, server.serve);
    await gate.listen();
  }
  const host = createHost({
    root,
    spec,
    address: loopback,
    hostKey: hostKey.public,
    rebootMs: options.rebootMs ?? 300,
    gate,
    channels: () => channels,
    commands,
    dropBackend: () => {},
    onDown: () => {},
  });
  endings.push(watchEvents(join(root, 'lab/events'), (words) => onLine(host, words, options)));
  endings.push(() => {
    gate?.close();
    gate?.drop();
  });
  return host;
}

/** A line a stand-in wrote to lab/events. */
function onLine(host: LabHost, words: string[], options: StartHostsOptions): void {
  const [kind, unit, state, version, role] = words;
  if (kind === 'unit') {
    options.onUnit?.({
      host: host.name,
      unit: unit ?? '',
      state: state as UnitEvent['state'],
      version: version ?? '',
      role: role ?? '',
    });
    return;
  }
  if (kind === 'reboot') void host.reboot();
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
    // With our listener gone the signal does what it would have done.
    process.kill(process.pid, signal);
  };
  const forget = () => {
    process.off('exit', act);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on('exit', act);
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
