import { examineCluster } from '../doctor/cluster.ts';
import type { Finding } from '../doctor/finding.ts';
import { examineHost } from '../doctor/host.ts';
import { closingLine, exitCodeOf, findingLines } from '../doctor/show.ts';
import { idleRun } from '../idle-run.ts';
import { text } from '../options.ts';
import { UsageError } from '../report-error.ts';
import { watchSignals } from '../signals.ts';
import { wantsColor } from '../terminal.ts';

const FORKS = 20;

/** `reeve doctor [PATTERN]`: looks at hosts and cluster, writes nothing, exits with 0, 2 or 3. */
export async function doctor(pattern: string | undefined, options: Record<string, unknown>): Promise<number> {
  const format = text(options.output, '--output') ?? 'plain';
  if (format !== 'plain' && format !== 'json') throw new UsageError(`--output ${format}: it can be plain or json`);
  const run = await idleRun('doctor', options, FORKS);
  if (run.inventory.hosts.size === 0) throw new UsageError('there is no host to look at', 'give an inventory with -i');
  const hosts = run.inventory.match(pattern ?? 'all');
  const unwatch = watchSignals(run.interrupt, () => {});
  // Nothing is half done here: the first Ctrl-C ends it.
  run.interrupt.onPress((count) => count === 1 && run.interrupt.press());
  try {
    const all: Finding[] = [];
    const tell = (findings: readonly Finding[]) => {
      all.push(...findings);
      if (format === 'json') for (const finding of findings) console.log(JSON.stringify(finding));
      else console.log(findingLines(findings, wantsColor(process.stdout)).join('\n'));
    };
    const examinations = hosts.map((host) => run.forks.use(() => examineHost(run, host)));
    // In the order of the inventory, each as soon as those before it are there.
    for (const examination of examinations) tell((await examination).all);
    const cluster = await examineCluster(run, hosts);
    if (cluster) tell(cluster.all);
    if (format === 'plain') console.log(`\n${closingLine(all)}`);
    return exitCodeOf(all);
  } finally {
    unwatch();
    await run.clusters.close();
    await run.connections.close();
  }
}
