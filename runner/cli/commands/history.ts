import { join } from 'node:path';
import { EXIT } from '../../errors.ts';
import { listRuns, RunFolder } from '../../journal/folder.ts';
import { readJournal } from '../../journal/read.ts';
import { isRunning } from '../../journal/run-lock.ts';
import { statusOf } from '../../report/status.ts';
import { shownDuration } from '../../report/time.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';

interface Row {
  run: string;
  playbook: string;
  result: string;
  check: boolean;
  hosts: string[];
  startedAt: string;
  duration: number;
  operator: string;
}

/** `reeve history`: the recorded runs, the newest first; filtered by playbook, host, result. */
export async function history(options: Record<string, unknown>): Promise<number> {
  if (options.cluster) return historyOfCluster(options);
  const runs = runsFolder(text(options.runs, '--runs'));
  const wanted = {
    playbook: text(options.playbook, '--playbook'),
    host: text(options.host, '--host'),
    result: text(options.result, '--result'),
  };
  const rows = listRuns(runs)
    .reverse()
    .flatMap((id) => readRow(new RunFolder(join(runs, id))))
    .filter((row) => !wanted.playbook || row.playbook.includes(wanted.playbook))
    .filter((row) => !wanted.host || row.hosts.includes(wanted.host))
    .filter((row) => !wanted.result || row.result === wanted.result);
  if (options.json) console.log(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) console.log('no runs are recorded here');
  else for (const row of rows) console.log(line(row));
  return EXIT.done;
}

/** `reeve history --cluster`: the upgrades that the cluster remembers itself, whoever made them from wherever. */
async function historyOfCluster(options: Record<string, unknown>): Promise<number> {
  const { clusterHistory, upgradeLines } = await import('../cluster-history.ts');
  const entries = (await clusterHistory(options)).reverse();
  if (options.json) console.log(JSON.stringify(entries, undefined, 2));
  else if (entries.length === 0) console.log('the cluster remembers no upgrade');
  else for (const entry of entries) console.log(upgradeLines(entry).join('\n'));
  return EXIT.done;
}

function readRow(folder: RunFolder): Row[] {
  try {
    const header = folder.readHeader();
    const { events } = readJournal(folder.events);
    const status = statusOf(events);
    const died = isRunning(folder.path) ? 'running' : 'died';
    return [
      {
        run: header.run,
        playbook: header.playbook.name,
        result: isRunning(folder.path) ? 'running' : (status.outcome ?? died),
        check: header.options.check,
        hosts: Object.keys(status.hosts),
        startedAt: header.startedAt,
        duration: Math.max(0, Date.parse(status.lastAt) - Date.parse(header.startedAt)),
        operator: `${header.operator.user}@${header.operator.host}`,
      },
    ];
  } catch {
    // A folder that cannot be read must not hide the others.
    return [];
  }
}

function line(row: Row): string {
  const hosts = `${row.hosts.length} host${row.hosts.length === 1 ? '' : 's'}`;
  const what = `${row.playbook}${row.check ? ' (check)' : ''}`;
  return `${row.run}  ${row.result.padEnd(11)}  ${what}  ${hosts}  ${shownDuration(row.duration)}  ${row.operator}`;
}
