import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './contenders.ts';
import { type Cost, measureGood } from './measure.ts';

/** What preload.ts noted in the measured process. */
export interface Probed extends Cost {
  syncs: number;
  /** milliseconds that the thread worked without the event loop going round, at most. */
  blocked: number;
  /** milliseconds that it stood still by the clock, at most. */
  stood: number;
}

/** Measures a run of reeve with preload.ts in it. `delay` milliseconds are added to each sync. */
export async function measureProbed(command: Command, folder: string, delay = 0): Promise<Probed> {
  const file = join(folder, 'probe.json');
  const [node, ...rest] = command.argv as [string, ...string[]];
  const argv = [node, '--import', join(import.meta.dirname, 'preload.ts'), ...rest];
  const env = { ...command.env, BENCH_PROBE: file, BENCH_SYNC_DELAY: String(delay) };
  const cost = await measureGood(argv, env, command.cwd);
  return { ...cost, ...(JSON.parse(readFileSync(file, 'utf8')) as Pick<Probed, 'syncs' | 'blocked' | 'stood'>) };
}
