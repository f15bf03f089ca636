import { readUpgradeHistory, type UpgradeEntry } from '../../modules/shared/upgrade-history.ts';
import { plainScope } from '../execute/host-scope.ts';
import { hostState } from '../execute/run-state.ts';
import { shownDuration } from '../report/time.ts';
import { idleRun } from './idle-run.ts';
import { UsageError } from './report-error.ts';

/** milliseconds */
const TIMEOUT = 30_000;

/**
 * The upgrades that the cluster of an inventory remembers, the oldest first, asked for by the same ways that a run takes.
 * @param options of the command line: the inventory, `-e`, host keys.
 * @throws ReeveError when there is no way to the cluster.
 */
export async function clusterHistory(options: Record<string, unknown>): Promise<UpgradeEntry[]> {
  const run = await idleRun('history', options, 1);
  if (run.inventory.hosts.size === 0) throw new UsageError('there is no host to ask', 'give an inventory with -i');
  try {
    const servers = run.inventory.groups.has('servers') ? run.inventory.hostsOf('servers') : [];
    const first = servers[0] ?? [...run.inventory.hosts.keys()][0]!;
    const deadline = Date.now() + TIMEOUT;
    const cluster = await run.clusters.reader(run, plainScope(run, hostState(run, first)), {
      signal: AbortSignal.timeout(TIMEOUT),
      remaining: () => Math.max(0, deadline - Date.now()),
      progress: () => {},
    });
    return (await readUpgradeHistory(cluster)).entries;
  } finally {
    await run.clusters.close();
    await run.connections.close();
  }
}

/** One upgrade in one line, and what was not well below it. */
export function upgradeLines({
  run,
  started,
  from,
  to,
  ended,
  duration_seconds,
  rolled_back,
  issues,
}: UpgradeEntry): string[] {
  const took = duration_seconds === undefined ? '' : `  ${shownDuration(duration_seconds * 1000)}`;
  const state = rolled_back ? 'rolled back' : ended ? 'done' : 'not ended';
  return [
    `${started.slice(0, 19).replace('T', ' ')} UTC  ${state.padEnd(11)}  ${from} → ${to}${took}  run ${run}`,
    ...issues.map((issue) => `  ${issue}`),
  ];
}
