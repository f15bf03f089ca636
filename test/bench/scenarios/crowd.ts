import type { Bench } from '../bench.ts';
import { type Command, reeve } from '../contenders.ts';
import { type Cost, measureGood, median, medians } from '../measure.ts';
import { measureProbed, type Probed } from '../probed.ts';
import { milliseconds, type Section, seconds } from '../report.ts';
import { writeWorkload } from '../workload.ts';

/** Three: many hosts, the first five of the tasks. */
export async function crowd(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  for (const count of bench.smoke ? [20] : [100, 1_000]) {
    const folder = bench.place(`crowd-${count}`);
    const hosts = bench.hosts(folder, count);
    const command = reeve.command(writeWorkload(folder, 5), hosts);
    hosts.clean();
    const first = [await measureProbed(command, folder)];
    const second: Probed[] = [];
    for (let round = 0; round < (count > 500 ? 1 : Math.min(bench.runs, 3)); round++) {
      second.push(await measureProbed(command, folder));
    }
    for (const [which, costs] of [
      ['first', first],
      ['second', second],
    ] as const) {
      const { wall, cpu, memory } = medians(costs);
      const blocked = median(costs.map((cost) => cost.blocked));
      rows.push([`${count}`, which, seconds(wall), seconds(cpu), `${Math.round(memory)} MB`, milliseconds(blocked)]);
    }
    if (count === 100)
      rows.push(
        await withTree(
          command,
          second.map(({ cpu }) => cpu),
        ),
      );
    bench.note(`  ${count} hosts`);
  }
  return {
    title: '3. Many hosts',
    text: 'Five tasks, fifty hosts at a time. The event loop is watched from the first connection on.',
    columns: ['hosts', 'run', 'wall', 'control CPU', 'peak memory', 'event loop blocked for at most'],
    rows,
  };
}

/** The same on a terminal, which `script` gives: what the live tree costs beside plain lines. */
async function withTree({ argv, env, cwd }: Command, plain: number[]): Promise<string[]> {
  const line = argv.map((word) => `'${word}'`).join(' ');
  const costs: Cost[] = [];
  for (const _ of plain)
    costs.push(await measureGood(['script', '-qec', line, '/dev/null'], { ...env, TERM: 'xterm' }, cwd));
  const { wall, cpu } = medians(costs);
  const share = ((cpu - median(plain)) / cpu) * 100;
  return ['100', 'second, with the live tree', seconds(wall), `${seconds(cpu)} (tree: ${share.toFixed(0)} %)`, '', ''];
}
