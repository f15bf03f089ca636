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
      rows.push([
        ...[`${count}`, which, seconds(wall), seconds(cpu), milliseconds((cpu * 1000) / count)],
        ...[`${Math.round(memory)} MB`, milliseconds(median(costs.map(({ blocked }) => blocked)))],
        milliseconds(median(costs.map(({ stood }) => stood))),
      ]);
    }
    if (count === 100) rows.push(await withTree(command, Math.max(bench.runs, 5)));
    bench.note(`  ${count} hosts`);
  }
  return {
    title: '3. Many hosts',
    text: 'Five tasks, fifty hosts at a time. The event loop is watched from the first connection on, before which nothing goes on that it could hold up; to the end, the report included. It is blocked for as long as its thread works without a pause; that it stands still by the clock for longer is the machine, whose processors the servers of all hosts share. Of the memory at 1,000 hosts some 75 MB are in use; the rest is what V8 lets grow before it clears up: `NODE_OPTIONS=--max-semi-space-size=4` takes 120 MB off for a twentieth more CPU.',
    columns: [
      'hosts',
      'run',
      'wall',
      'control CPU',
      'CPU a host',
      'peak memory',
      'event loop blocked for at most',
      'stood still by the clock',
    ],
    rows,
  };
}

/** The same on a terminal, which `script` gives, in turn with plain lines: what the live tree costs beside them. */
async function withTree({ argv, env, cwd }: Command, rounds: number): Promise<string[]> {
  const line = argv.map((word) => `'${word}'`).join(' ');
  const tree: Cost[] = [];
  const plain: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [costs, output] of [
      [tree, 'tree'],
      [plain, 'plain'],
    ] as const) {
      const command = ['script', '-qec', `${line} --output ${output}`, '/dev/null'];
      costs.push(await measureGood(command, { ...env, TERM: 'xterm' }, cwd));
    }
  }
  const { wall, cpu } = medians(tree);
  const share = ((cpu - medians(plain).cpu) / cpu) * 100;
  const said = `${seconds(cpu)} (tree: ${share.toFixed(0)} %)`;
  return ['100', 'second, with the live tree', seconds(wall), said, '', '', '', ''];
}
