import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one run of a program cost. */
export interface Cost {
  /** seconds */
  wall: number;
  /** seconds of CPU of the program and all its children, on the control side only. */
  cpu: number;
  /** megabytes at the peak of the program itself. */
  memory: number;
  code: number;
  stdout: string;
  stderr: string;
}

const MARK = 'bench-times';

/** Runs a command to its end. Its children's CPU counts, since bash's `time` waits for them. */
export function measure(argv: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Cost> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `TIMEFORMAT='${MARK} %R %U %S'; time "$@"`, 'bash', ...argv], {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let memory = 0;
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const watch = setInterval(() => {
      memory = Math.max(memory, peakOf(child.pid!));
    }, 20);
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(watch);
      const [, wall, user, system] = new RegExp(`${MARK} ([\\d.]+) ([\\d.]+) ([\\d.]+)`).exec(stderr) ?? [];
      const cpu = Number(user) + Number(system);
      resolve({ wall: Number(wall), cpu, memory, code: code ?? 1, stdout, stderr });
    });
  });
}

/** Peak resident memory of the one child of a shell, in megabytes. */
function peakOf(pid: number): number {
  try {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1];
    return Number(peak ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Like `measure`; a run that fails makes no figure. */
export async function measureGood(argv: readonly string[], env?: Record<string, string>, cwd?: string): Promise<Cost> {
  const cost = await measure(argv, env, cwd);
  if (cost.code !== 0) {
    throw new Error(
      `${argv.join(' ')} ended with ${cost.code}:\n${cost.stdout.slice(-2_000)}${cost.stderr.slice(-2_000)}`,
    );
  }
  return cost;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The medians of several costs, each figure by itself. */
export function medians(costs: readonly Cost[]): { wall: number; cpu: number; memory: number } {
  const of = (name: 'wall' | 'cpu' | 'memory') => median(costs.map((cost) => cost[name]));
  return { wall: of('wall'), cpu: of('cpu'), memory: of('memory') };
}

/** Clock ticks a second, as the kernel counts CPU for programs: 100 on every Linux. */
const TICKS = 100;

/** seconds of CPU that ended children of a process have used, and theirs. */
export function childrenCpu(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything; behind it, the 14th and 15th field are cutime and cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}
