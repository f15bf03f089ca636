import { join } from 'node:path';
import { EXIT } from '../../errors.ts';
import { listRuns, RunFolder } from '../../journal/folder.ts';
import { readJournal } from '../../journal/read.ts';
import { isRunning, runsElsewhere } from '../../journal/run-lock.ts';
import { type RunStatus, statusOf } from '../../report/status.ts';
import { shownDuration } from '../../report/time.ts';
import { oneOf, text } from '../options.ts';
import { runsFolder } from '../record.ts';

/** How a run can have ended; `unknown` when its process is on another machine. */
const RESULTS = [
  ...(['done', 'failed', 'unreachable', 'refused', 'interrupted', 'error', 'died', 'running', 'unknown'] as const),
  ...(['rolled back', 'partly rolled back', 'being rolled back'] as const),
];

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
    result: oneOf(options.result, '--result', RESULTS),
  };
  const ids = listRuns(runs);
  const rows = ids
    .reverse()
    .flatMap((id) => readRow(new RunFolder(join(runs, id))))
    .filter((row) => !wanted.playbook || row.playbook.includes(wanted.playbook))
    .filter((row) => !wanted.host || row.hosts.includes(wanted.host))
    .filter((row) => !wanted.result || row.result === wanted.result);
  if (options.json) console.log(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) console.log(ids.length === 0 ? 'no runs are recorded here' : 'no recorded run fits');
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
    const status = statusOf(events, header);
    return [
      {
        run: header.run,
        playbook: header.playbook.name,
        result: resultOf(folder, status),
        check: header.options.check,
        hosts: Object.keys(status.hosts),
        startedAt: header.startedAt,
        duration: Math.max(0, Date.parse(status.lastAt) - Date.parse(header.startedAt)),
        operator: `${header.operator.user}@${header.operator.host}`,
      },
    ];
  } catch (error) {
    // A folder that cannot be read must not hide the others, nor be hidden by them.
    console.error(`warning: run ${folder.id} cannot be read: ${(error as Error).message}`);
    return [];
  }
}

function resultOf(folder: RunFolder, status: RunStatus): string {
  if (runsElsewhere(folder.path)) return status.outcome ?? 'unknown';
  return isRunning(folder.path) ? 'running' : (status.outcome ?? 'died');
}

function line(row: Row): string {
  const hosts = `${row.hosts.length} host${row.hosts.length === 1 ? '' : 's'}`;
  const what = `${row.playbook}${row.check ? ' (check)' : ''}`;
  return `${row.run}  ${row.result.padEnd(11)}  ${what}  ${hosts}  ${shownDuration(row.duration)}  ${row.operator}`;
}
