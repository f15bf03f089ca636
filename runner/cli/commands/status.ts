import { watch } from 'node:fs';
import { EXIT } from '../../errors.ts';
import { findRun, type RunFolder } from '../../journal/folder.ts';
import { readJournal } from '../../journal/read.ts';
import { isRunning, runsElsewhere } from '../../journal/run-lock.ts';
import { type RunStatus, statusOf } from '../../report/status.ts';
import { shownDuration } from '../../report/time.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';

/** `reeve status [RUN] [--follow]`: what a run is doing, or how it ended; from any terminal that sees its folder. */
export async function status(wanted: string | undefined, options: Record<string, unknown>): Promise<number> {
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted ?? 'last');
  if (options.json) {
    const elsewhere = runsElsewhere(folder.path);
    // Of a process on another machine nobody can tell from here.
    const alive = elsewhere ? { alive: null, elsewhere } : { alive: isRunning(folder.path) };
    console.log(JSON.stringify({ run: folder.id, ...alive, ...read(folder) }, undefined, 2));
    return EXIT.done;
  }
  show(folder);
  if (options.follow) await follow(folder);
  return EXIT.done;
}

function read(folder: RunFolder): RunStatus {
  return statusOf(readJournal(folder.events).events);
}

/** Shows it again whenever the journal grew, at most twice a second, until the run is over. */
async function follow(folder: RunFolder): Promise<void> {
  const watcher = watch(folder.path);
  let changed = false;
  watcher.on('change', () => {
    changed = true;
  });
  try {
    while (isRunning(folder.path)) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (!changed) continue;
      changed = false;
      console.log('');
      show(folder);
    }
    console.log('');
    show(folder);
  } finally {
    watcher.close();
  }
}

function show(folder: RunFolder): void {
  const alive = isRunning(folder.path) && !runsElsewhere(folder.path);
  for (const line of lines(folder, read(folder), alive)) console.log(line);
}

function lines({ id, path }: RunFolder, status: RunStatus, alive: boolean): string[] {
  const since = (at: string) => shownDuration(Math.max(0, Date.now() - Date.parse(at)));
  const state = elsewhereOf(path, status) ?? stateOf(status, alive);
  const counts = Object.values(status.hosts);
  const sum = (name: 'done' | 'changed' | 'failed') => counts.reduce((total, host) => total + host[name], 0);
  return [
    `${status.name}${status.check ? ' (check)' : ''}: ${state}`,
    `  run ${id}, started ${status.startedAt}${status.resumed > 0 ? `, resumed ${status.resumed} times` : ''}`,
    ...(status.play
      ? [`  play ${status.play.name}${status.play.of > 1 ? `, batch ${status.play.batch} of ${status.play.of}` : ''}`]
      : []),
    `  ${counts.length} hosts: ${sum('done')} tasks done, ${sum('changed')} changed, ${sum('failed')} failed`,
    ...status.running.map(
      ({ host, task, since: at, progress }) =>
        `  ${host}: ${task} (for ${since(at)})${progress ? `: ${progress}` : ''}`,
    ),
    ...status.failures.map(({ host, task, message }) => `  failed: ${host}: ${task} — ${message.split('\n', 1)[0]}`),
    ...Object.entries(status.nodes).map(([node, state]) => `  node ${node} is ${state}`),
    ...Object.entries(status.pendingHandlers).map(
      ([host, names]) => `  ${host}: handlers that did not run: ${names.join(', ')}`,
    ),
    ...(state.startsWith('died') || ['failed', 'interrupted', 'unreachable', 'error'].includes(status.outcome ?? '')
      ? [`  \`reeve resume ${id}\` goes on with it`]
      : []),
  ];
}

/** What cannot be known of a run whose process is, or was, on another machine. */
function elsewhereOf(path: string, status: RunStatus): string | undefined {
  const there = runsElsewhere(path);
  if (!there || status.outcome) return undefined;
  const heard = shownDuration(Math.max(0, Date.now() - Date.parse(status.lastAt)));
  return `running or dead: process ${there.pid} is on ${there.host}, and cannot be seen from here; last heard of ${heard} ago`;
}

function stateOf(status: RunStatus, alive: boolean): string {
  if (status.outcome && !alive) return `${status.outcome}${status.message ? `: ${status.message}` : ''}`;
  if (alive) return 'running';
  return `died; last heard of at ${status.lastAt}`;
}
