import type { Bench } from '../bench.ts';
import type { Contender } from '../contenders.ts';
import { measureGood } from '../measure.ts';
import { startProxy } from '../proxy.ts';
import { type Section, seconds } from '../report.ts';
import { writeWorkload } from '../workload.ts';

/** Two: the same behind a slow line, on ten hosts; round trips are counted by the proxy, not told by the contender. */
export async function delayed(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  const count = bench.smoke ? 2 : 10;
  for (const delay of bench.smoke ? [5] : [20, 100]) {
    for (const contender of bench.contenders) {
      // Ansible alone would take a quarter of an hour for the slower line, and count the same.
      if (contender.name === 'floor' || (delay > 50 && contender.name === 'Ansible')) continue;
      const one = await counted(bench, contender, delay, count, 1);
      const all = await counted(bench, contender, delay, count, 20);
      for (const which of ['first', 'second'] as const) {
        // What a run of one task needs, the login above all, is taken off.
        const trips = (all[which].turns - one[which].turns) / (count * 19);
        rows.push([`${delay} ms`, which, contender.name, seconds(all[which].wall), trips.toFixed(2)]);
      }
      bench.note(`  ${delay} ms, ${contender.name}`);
    }
  }
  return {
    title: '2. Ten hosts behind a slow line',
    text: 'A proxy adds the delay each way and counts how often the client speaks after the server has spoken. Round trips a task: those of twenty tasks less those of one, by nineteen tasks and the hosts. Tasks that need no host (assert, set-vars) count too.',
    columns: ['added each way', 'run', 'contender', 'wall', 'round trips a task'],
    rows,
  };
}

type Counted = Record<'first' | 'second', { wall: number; turns: number }>;

async function counted(
  bench: Bench,
  contender: Contender,
  delay: number,
  count: number,
  tasks: number,
): Promise<Counted> {
  const proxy = await startProxy(bench.server.port, delay);
  try {
    const folder = bench.place(`delay-${delay}-${contender.name}-${tasks}`);
    const hosts = bench.hosts(folder, count, proxy.port);
    hosts.clean();
    const { argv, env, cwd } = contender.command(writeWorkload(folder, tasks), hosts);
    const run = async () => {
      const before = proxy.turns;
      const { wall } = await measureGood(argv, env, cwd);
      return { wall, turns: proxy.turns - before };
    };
    return { first: await run(), second: await run() };
  } finally {
    await proxy.stop();
  }
}
