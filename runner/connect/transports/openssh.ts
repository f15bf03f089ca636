import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { UnreachableError } from '../../errors.ts';
import { CONNECT_TIMEOUT } from '../open-shell.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ByteStream, ConnectionSpec, Transport } from '../types.ts';
import { within } from '../within.ts';
import { openLocal } from './local.ts';

interface Master {
  /** Of its control socket. */
  path: string;
  channels: number;
  /** Resolves once its first shell has spoken or ended: until then a second ssh would log in on its own. */
  up?: Promise<unknown>;
}

/** Shells that share one connection of the system's ssh; stock sshd allows ten sessions. */
const CHANNELS = 8;

/**
 * The system's `ssh`, for what only it can do (FIDO keys, ProxyCommand, GSSAPI). It never asks (BatchMode). Its own
 * connection sharing is used, eight shells a master, from a private folder that goes when the transport is closed.
 */
export async function opensshTransport(asGiven: ConnectionSpec, options: ConnectionsOptions): Promise<Transport> {
  // What the command line or the environment says of host keys holds for all hosts that say nothing themselves.
  const checking = asGiven.hostKeyChecking ?? options.hostKeyChecking;
  const spec: ConnectionSpec = checking === undefined ? asGiven : { ...asGiven, hostKeyChecking: checking };
  const folder = await mkdtemp(join(tmpdir(), 'reeve-'));
  let alive = true;
  const masters: Master[] = [];

  function reserve(): Master {
    let master = masters.find((one) => one.channels < CHANNELS);
    if (!master) {
      master = { path: join(folder, `m${masters.length}`), channels: 0 };
      masters.push(master);
    }
    master.channels++;
    return master;
  }

  return {
    get alive() {
      return alive;
    },
    async open(command) {
      const master = reserve();
      const sharing = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${master.path}`, '-o', 'ControlPersist=60'];
      try {
        if (master.up) await master.up;
        const opening = openLocal('ssh', [...sharing, '-T', ...sshArguments(spec), '--', spec.address, command]);
        master.up ??= opening.then(spoken, () => {});
        const stream = await opening;
        void stream.closed.then(() => {
          master.channels--;
          // The next one logs in anew when the shared connection has gone with its last shell.
          if (master.channels === 0) delete master.up;
        });
        return stream;
      } catch (error) {
        master.channels--;
        throw noSsh(spec, error);
      }
    },
    async forward(host, port) {
      const arguments_ = ['-o', 'ControlPath=none', '-W', `${host.includes(':') ? `[${host}]` : host}:${port}`];
      const stream = await openLocal('ssh', [...arguments_, '-T', ...sshArguments(spec), '--', spec.address]);
      const pair = Duplex.from({ readable: stream.stdout, writable: stream.stdin } as never);
      pair.once('close', () => stream.destroy());
      return pair;
    },
    async close() {
      alive = false;
      for (const master of masters) {
        const stop = await openLocal('ssh', [
          '-o',
          `ControlPath=${master.path}`,
          '-O',
          'exit',
          '--',
          spec.address,
        ]).catch(() => undefined);
        if (stop) await within(2_000, stop.closed);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function spoken(stream: ByteStream): Promise<unknown> {
  return Promise.race([new Promise((resolve) => stream.stdout.once('data', resolve)), stream.closed]);
}

/** The spec in ssh's own options; what it does not say is left to ssh_config. */
export function sshArguments(spec: ConnectionSpec): string[] {
  const checking = { ask: 'yes', strict: 'yes', 'accept-new': 'accept-new', off: 'no' } as const;
  const seconds = Math.max(1, Math.ceil((spec.connectTimeout ?? CONNECT_TIMEOUT) / 1000));
  const options: Record<string, string | undefined> = {
    BatchMode: 'yes',
    ConnectTimeout: String(seconds),
    ServerAliveInterval: '15',
    ServerAliveCountMax: '3',
    StrictHostKeyChecking: spec.hostKeyChecking && checking[spec.hostKeyChecking],
    UserKnownHostsFile: spec.hostKeyChecking === 'off' ? '/dev/null' : spec.knownHostsFile,
    ...spec.sshOptions,
  };
  const list = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : ['-o', `${name}=${value}`],
  );
  if (spec.port !== undefined) list.push('-p', String(spec.port));
  if (spec.user !== undefined) list.push('-l', spec.user);
  if (spec.privateKeyFile !== undefined) list.push('-i', spec.privateKeyFile);
  if (spec.proxyJump !== undefined) list.push('-J', spec.proxyJump);
  return list;
}

function noSsh(spec: ConnectionSpec, cause: unknown): UnreachableError {
  return new UnreachableError(`${spec.host}: the system's ssh cannot be started`, {
    cause,
    hint: 'Install the OpenSSH client, or use transport: ssh.',
  });
}
