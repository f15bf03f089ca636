import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from './types.ts';

type Status = 'running' | 'stopped';

/** Writes what the node's `pct` knows about a container. */
export function setContainer(node: LabHost, container: LabHost, status: Status): void {
  const folder = join(node.root, 'lab/containers');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${container.container?.vmid}`), `${container.root}\n${status}\n${container.name}\n`);
}

/** Does what `pct start|stop|reboot VMID` asked the lab for, then lets pct go on. */
export async function switchContainer(node: LabHost, container: LabHost, verb: string): Promise<void> {
  setContainer(node, container, 'stopped');
  if (verb !== 'start') await container.stop();
  if (verb !== 'stop') {
    await container.boot();
    setContainer(node, container, 'running');
  }
  writeFileSync(join(node.root, `lab/containers/.done-${container.container?.vmid}`), '');
}
