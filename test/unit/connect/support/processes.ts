import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Process ids on this machine whose command line holds `text`. */
export function processesWith(text: string): number[] {
  return existsSync('/proc/self/cmdline') ? seenInProc(text) : seenByPs(text);
}

/** Asked many times in a wait: no process is started for it. */
function seenInProc(text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => commandLine(pid).includes(text)).map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function seenByPs(text: string): number[] {
  const list = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 1 << 24 });
  return list
    .split('\n')
    .filter((line) => line.includes(text) && !line.includes('ps -A'))
    .map((line) => Number(line.trim().split(' ')[0]));
}

/** By proc(5): behind the name in parentheses come state, parent and group. */
function groupOf(pid: number): number {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }));
  return Number(readFileSync(stat, 'latin1').split(') ').at(-1)?.split(' ')[2]);
}

/** Ends the process group that a process is in. Refuses one that could be the tests' own. */
export function killGroupOf(pid: number): void {
  const group = groupOf(pid);
  if (!(group > 1) || group === groupOf(process.pid)) throw new Error(`process ${pid} has no group of its own`);
  process.kill(-group, 'SIGKILL');
}

/** Resolves when `test` is true; looks often, gives up with an error after 100 s, before the test's own limit. */
export async function until(what: string, test: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 100_000;
  while (!(await test())) {
    if (Date.now() > deadline) throw new Error(`still waiting for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let used = 0;
/** A number of seconds for `sleep` that no other process on the machine was given. */
export function uniqueSleep(): string {
  return `${3000 + (process.pid % 500)}.${process.pid}${++used}`;
}
