import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Ids of the processes that belong to a host: they carry its `LAB_ROOT`, or stand in its folder. A process group is not
 * enough, since jobs that detach (setsid) leave it. Needs /proc; elsewhere the answer is empty.
 */
export function processesOf(root: string): number[] {
  const marker = `LAB_ROOT=${root}`;
  return processIds().filter((pid) => pid !== process.pid && (environmentHas(pid, marker) || standsIn(pid, root)));
}

/** Kills all processes of a host, and those they start meanwhile. */
export function killProcessesOf(root: string): void {
  // A process may fork between the look and the kill: look again until nobody is left.
  for (let round = 0; round < 20; round++) {
    const pids = processesOf(root);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function environmentHas(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(marker);
  } catch {
    return false;
  }
}

function standsIn(pid: number, root: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    return cwd === root || cwd.startsWith(`${root}/`);
  } catch {
    return false;
  }
}
