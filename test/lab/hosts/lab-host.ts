import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Gate } from './gate.ts';
import { clearVolatile, hostEnvironment, renewBootId } from './host-root.ts';
import { killProcessesOf, processesOf } from './processes.ts';
import type { HostCounts, HostSpec, LabHost } from './types.ts';

export interface HostParts {
  root: string;
  spec: HostSpec;
  address: string;
  hostKey: string;
  rebootMs: number;
  /** Absent for a container. */
  gate: Gate | undefined;
  channels: () => number;
  commands: string[];
  onDown: () => void;
  /** The containers on this host. */
  guests: () => LabHost[];
}

/** One host: its folder, its SSH service and the faults a test can give it. */
export function createHost(parts: HostParts): LabHost {
  const { root, spec, gate } = parts;
  const dropConnections = () => gate?.drop();
  const stop = async () => {
    gate?.close();
    dropConnections();
    killProcessesOf(root);
    parts.onDown();
    await Promise.all(parts.guests().map((guest) => guest.stop()));
  };
  const boot = async () => {
    // The lab may have ended while the host was away.
    if (!existsSync(root)) return;
    clearVolatile(root);
    bootId = renewBootId(root);
    startEnabledUnits(root, hostEnvironment(root, spec));
    await Promise.all(parts.guests().map((guest) => guest.boot()));
    await gate?.listen();
  };
  let bootId = readFileSync(join(root, 'lab/boot_id'), 'utf8').trim();
  return {
    name: spec.name,
    root,
    address: gate ? parts.address : '',
    get port() {
      return gate?.port ?? 0;
    },
    user: userInfo().username,
    hostKey: parts.hostKey,
    get counts(): HostCounts {
      return {
        connections: gate?.connections ?? 0,
        open: gate?.open ?? 0,
        channels: parts.channels(),
        commands: parts.commands,
      };
    },
    get bootId() {
      return bootId;
    },
    container: spec.container,
    environment: hostEnvironment(root, spec),
    dropConnections,
    async refuse(until) {
      gate?.close();
      await (typeof until === 'number' ? wait(until) : Promise.allSettled([until]));
      await gate?.listen();
    },
    setLatency(milliseconds) {
      if (gate) gate.latency = milliseconds;
    },
    stop,
    boot,
    async reboot(downMs = parts.rebootMs) {
      await stop();
      await wait(downMs);
      await boot();
    },
    setKnob(name, value) {
      const file = join(root, 'lab/knobs', name);
      mkdirSync(join(root, 'lab/knobs'), { recursive: true });
      if (value === undefined) rmSync(file, { force: true });
      else writeFileSync(file, `${value}\n`);
    },
    processes: () => processesOf(root),
  };
}

function startEnabledUnits(root: string, env: Record<string, string>): void {
  spawnSync(join(root, 'usr/bin/systemctl'), ['lab-boot'], { env, stdio: 'ignore' });
}
