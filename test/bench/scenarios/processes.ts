import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { type Contender, firstLine } from '../contenders.ts';
import { measureGood } from '../measure.ts';
import type { Section } from '../report.ts';
import { writeWorkload } from '../workload.ts';

/** One, looked at closer: the processes that a task costs on the target, counted by strace. */
export async function processes(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  const canTrace = firstLine('strace', '--version') !== undefined;
  for (const contender of canTrace ? bench.contenders : []) {
    const all = await counted(bench, contender, 20);
    // A hand-written script has no form with one task: its login is that of the others.
    const one = contender.name === 'floor' ? { first: 2, second: 2 } : await counted(bench, contender, 1);
    const tasks = contender.name === 'floor' ? 20 : 19;
    for (const which of ['first', 'second'] as const) {
      rows.push([which, contender.name, `${all[which]}`, ((all[which] - one[which]) / tasks).toFixed(1)]);
    }
  }
  return {
    title: '1b. Processes on the target',
    text: 'One host, the twenty tasks; forks of the SSH server and all below it. Those a task: without those of the login.',
    columns: ['run', 'contender', 'forks', 'forks a task'],
    rows,
  };
}

async function counted(bench: Bench, contender: Contender, tasks: number): Promise<Record<'first' | 'second', number>> {
  const folder = bench.place(`processes-${contender.name}-${tasks}`);
  const hosts = bench.hosts(folder, 1);
  hosts.clean();
  const { argv, env, cwd } = contender.command(writeWorkload(folder, tasks), hosts);
  const run = () =>
    traced(bench.server.pid, join(folder, 'trace'), async () => void (await measureGood(argv, env, cwd)));
  return { first: await run(), second: await run() };
}

async function traced(pid: number, file: string, work: () => Promise<void>): Promise<number> {
  const calls = 'trace=clone,clone3,fork,vfork';
  const strace = spawn('strace', ['-f', '-e', calls, '-o', file, '-p', `${pid}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((resolve) => strace.stderr.once('data', resolve));
  await work();
  const gone = new Promise((resolve) => strace.once('exit', resolve));
  strace.kill('SIGINT');
  await gone;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /(clone3?|v?fork)\b.* = \d+$/.test(line)).length;
}
