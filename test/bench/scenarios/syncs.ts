import type { Bench } from '../bench.ts';
import { reeve } from '../contenders.ts';
import { measureProbed } from '../probed.ts';
import { type Section, seconds } from '../report.ts';
import { writeWorkload } from '../workload.ts';

/** Six: what it costs that every effect is on disk before it begins. */
export async function syncs(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  for (const count of bench.smoke ? [2] : [1, 10, 50]) {
    const folder = bench.place(`syncs-${count}`);
    const hosts = bench.hosts(folder, count);
    const command = reeve.command(writeWorkload(folder), hosts);
    for (const delay of [0, 10]) {
      hosts.clean();
      for (const which of ['first', 'second']) {
        const cost = await measureProbed(command, folder, delay);
        rows.push([`${count}`, which, `${delay} ms`, `${cost.syncs}`, seconds(cost.wall)]);
      }
    }
  }
  return {
    title: '6. Syncs of the journal',
    text: 'The twenty tasks again; each sync made slower by what is added.',
    columns: ['hosts', 'run', 'added to a sync', 'syncs', 'wall'],
    rows,
  };
}
