import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';

interface Owner {
  pid: number;
  host: string;
  /** When the process began, in the kernel's ticks: a reused pid is another process. */
  started: string;
}

/**
 * Lets one process at a time write a run's folder: the run itself, or one resume of it. The lock of a process that is gone
 * is no lock.
 * @returns the giving back.
 * @throws ReeveError `run-busy`, exit code 6.
 */
export function lockRun(folder: string): () => void {
  const file = join(folder, 'pid');
  const me: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  for (let n = 0; n < 3; n++) {
    if (create(file, JSON.stringify(me))) return () => rmSync(file, { force: true });
    const owner = read(file);
    if (owner && isAlive(owner)) throw busy(folder, owner);
    rmSync(file, { force: true });
  }
  throw new ReeveError('run-busy', `${folder} is being taken by another process`, { exitCode: EXIT.refused });
}

/** Whether a process is writing the folder at this moment, as far as this machine can tell. */
export function isRunning(folder: string): boolean {
  const owner = read(join(folder, 'pid'));
  return owner !== undefined && isAlive(owner);
}

function create(file: string, text: string): boolean {
  try {
    // wx: exactly one of several that try at the same moment succeeds.
    const descriptor = openSync(file, 'wx', 0o600);
    writeSync(descriptor, text);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  // Another machine's processes cannot be seen from here: better a refusal too many than two at once.
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return owner.started === '' || startOf(owner.pid) === owner.started;
}

/** Field 22 of /proc/PID/stat (proc(5)); empty where there is none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function busy(folder: string, owner: Owner): ReeveError {
  return new ReeveError('run-busy', `this run is going on at this moment: process ${owner.pid} on ${owner.host}`, {
    hint: `\`reeve status ${folder.split('/').at(-1)} --follow\` shows it; if ${owner.host} is gone for good, remove ${join(folder, 'pid')}`,
    exitCode: EXIT.refused,
  });
}
