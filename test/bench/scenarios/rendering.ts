import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { measureGood } from '../measure.ts';
import { type Section, seconds } from '../report.ts';

/** Eight: the engine alone. */
export async function rendering(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  for (const count of bench.smoke ? [100] : [1_000, 10_000]) {
    const { stdout, memory } = await measureGood([
      process.execPath,
      '--expose-gc',
      join(import.meta.dirname, '../planning.ts'),
      `${count}`,
    ]);
    const found = JSON.parse(stdout) as { seconds: number; cpu: number; perHost: number; exitCode: number };
    if (found.exitCode !== 0) throw new Error(`the plan ended with ${found.exitCode}`);
    rows.push([
      `${count}`,
      seconds(found.seconds),
      seconds(found.cpu),
      `${Math.round((count * 20) / found.cpu)}`,
      `${(found.perHost / 1024).toFixed(1)} KB`,
      `${Math.round(memory)} MB`,
    ]);
  }
  return {
    title: '8. Planning without targets',
    text: 'Twenty tasks (copy, set-vars, assert, file) planned in check mode; the targets are a function in the same process.',
    columns: ['hosts', 'wall', 'CPU', 'host tasks a second of CPU', 'kept in memory a host', 'peak memory'],
    rows,
  };
}
