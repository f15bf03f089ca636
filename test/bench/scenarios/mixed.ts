import { readFileSync } from 'node:fs';
import type { Bench } from '../bench.ts';
import type { Contender } from '../contenders.ts';
import type { Hosts } from '../hosts.ts';
import { type Cost, childrenCpu, measureGood, median, medians } from '../measure.ts';
import { ratio, type Section, seconds } from '../report.ts';
import { type Workload, writeWorkload } from '../workload.ts';

/** One: twenty mixed tasks, all changed and then none, on 1, 10 and 50 hosts. */
export async function mixed(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  for (const count of bench.smoke ? [1, 3] : [1, 10, 50]) {
    const folder = bench.place(`mixed-${count}`);
    const workload = writeWorkload(folder);
    const hosts = bench.hosts(folder, count);
    const found = await interleave(bench, workload, hosts);
    for (const which of ['first', 'second'] as const) {
      const own = medians(found.get('reeve')![which]).wall;
      for (const [name, costs] of found) {
        if (costs[which].length === 0) continue;
        const { wall, cpu } = medians(costs[which]);
        rows.push([
          `${count}`,
          which,
          name,
          seconds(wall),
          ratio(wall / own),
          seconds(cpu),
          seconds(median(costs[which].map(({ target }) => target))),
        ]);
      }
    }
  }
  return {
    title: '1. Twenty mixed tasks',
    text: 'Wall time, CPU of the control side and of the targets (medians). «first»: everything changes; «second»: nothing does. The floor does the same in both.',
    columns: ['hosts', 'run', 'contender', 'wall', 'to reeve', 'control CPU', 'target CPU'],
    rows,
  };
}

type Both = Cost & { target: number };
type Pair = { first: Both[]; second: Both[] };

/** Contenders in turn, so that a busy moment of the machine hits all of them alike. */
async function interleave(bench: Bench, workload: Workload, hosts: Hosts): Promise<Map<string, Pair>> {
  const found = new Map<string, Pair>(bench.contenders.map(({ name }) => [name, { first: [], second: [] }]));
  for (let round = 0; round < bench.runs; round++) {
    for (const contender of bench.contenders) {
      // One run of them is known well enough; fifty hosts take some of them minutes, so only a long benchmark does it.
      if (isSlow(contender) && (round >= Math.max(1, bench.runs >> 2) || (hosts.names.length > 10 && bench.runs < 5)))
        continue;
      try {
        const { first, second } = await runPair(bench, contender, workload, hosts);
        found.get(contender.name)!.first.push(first);
        found.get(contender.name)!.second.push(second);
        bench.note(`  ${hosts.names.length} hosts, ${contender.name}: ${first.wall} s, then ${second.wall} s`);
      } catch (error) {
        // Another tool's failure (a time limit on a busy machine) must not cost all the other figures; ours must.
        if (contender.name === 'reeve') throw error;
        bench.note(`  ${contender.name} failed: ${(error as Error).message.slice(0, 300)}`);
      }
    }
  }
  return found;
}

/** On hosts as new, then once more. */
async function runPair(
  bench: Bench,
  contender: Contender,
  workload: Workload,
  hosts: Hosts,
): Promise<{ first: Both; second: Both }> {
  const { argv, env, cwd } = contender.command(workload, hosts);
  const run = async (): Promise<Both> => {
    const before = childrenCpu(bench.server.pid);
    const cost = await measureGood(argv, env, cwd);
    await sessionsOver(bench.server.pid);
    return { ...cost, target: childrenCpu(bench.server.pid) - before };
  };
  hosts.clean();
  return { first: await run(), second: await run() };
}

/** Waits until the server has reaped the sessions of a run. */
async function sessionsOver(pid: number): Promise<void> {
  while (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== '') {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isSlow = ({ name }: Contender) => name === 'Ansible' || name === 'Mitogen';
