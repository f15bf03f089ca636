import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import { journalError } from './journal-error.ts';

interface Owner {
  pid: number;
  host: string;
  /** When the process began, in the kernel's ticks: a reused pid is another process. */
  started: string;
}

const PREFIX = 'pid.';

/**
 * Lets one process at a time write a run's folder: the run itself, or one resume of it. The lock of a process that is gone
 * is no lock. Each owner is a file of the next number, made with its content in one step (a link): whoever finds the last
 * owner dead can never remove one that came in between.
 * @returns the giving back, once.
 * @throws ReeveError `run-busy`, exit code 6; `journal-failed` where nothing can be written.
 */
export function lockRun(folder: string): () => void {
  const me: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  const draft = join(folder, `.${PREFIX}${process.pid}`);
  try {
    writeFileSync(draft, JSON.stringify(me), { mode: 0o600 });
  } catch (error) {
    throw journalError(folder, error);
  }
  try {
    for (let n = 0; n < 5; n++) {
      const last = lastNumber(folder);
      const owner = last > 0 ? read(folder, last) : undefined;
      if (owner && isAlive(owner)) throw busy(folder, owner);
      const mine = last + 1;
      if (!link(draft, fileOf(folder, mine))) continue;
      if (lastNumber(folder) > mine) {
        // What was seen as the last one was past already.
        rmSync(fileOf(folder, mine), { force: true });
        continue;
      }
      for (const past of numbers(folder)) if (past < mine) rmSync(fileOf(folder, past), { force: true });
      return once(() => rmSync(fileOf(folder, mine), { force: true }));
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw new ReeveError('run-busy', `${folder} is being taken by another process`, { exitCode: EXIT.refused });
}

/** Whether a process is writing the folder at this moment, or may be: another machine's cannot be seen from here. */
export function isRunning(folder: string): boolean {
  const owner = read(folder, lastNumber(folder));
  return owner !== undefined && isAlive(owner);
}

/** The other machine whose process writes the folder, or did until it died there. */
export function runsElsewhere(folder: string): { pid: number; host: string } | undefined {
  const owner = read(folder, lastNumber(folder));
  return owner && owner.host !== hostname() ? owner : undefined;
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

function fileOf(folder: string, number: number): string {
  return join(folder, `${PREFIX}${number}`);
}

function numbers(folder: string): number[] {
  const names = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
  return names.map((name) => Number(name.slice(PREFIX.length))).filter(Number.isInteger);
}

function lastNumber(folder: string): number {
  return Math.max(0, ...numbers(folder));
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // A file system without hard links: made with its content after it, which is as good as alone.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    try {
      writeFileSync(to, readFileSync(from), { mode: 0o600, flag: 'wx' });
      return true;
    } catch (second) {
      if ((second as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw second;
    }
  }
}

function read(folder: string, number: number): Owner | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder, number), 'utf8')) as Owner;
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

/**
 * When a process began: field 22 of /proc/PID/stat (proc(5)); empty where there is none. A process that has ended and that
 * nobody has reaped yet (state Z or X; in a container without an init it may stay for long) has no beginning.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /[ZX]/.test(fields[0] ?? '') ? 'ended' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function busy(folder: string, owner: Owner): ReeveError {
  const file = join(folder, `${PREFIX}*`);
  return new ReeveError('run-busy', `this run is going on at this moment: process ${owner.pid} on ${owner.host}`, {
    hint: `\`reeve status ${folder.split('/').at(-1)} --follow\` shows it; if ${owner.host} is gone for good, remove ${file}`,
    exitCode: EXIT.refused,
  });
}
