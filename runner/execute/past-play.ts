import type { PlayStarted, TaskEnded } from '../events.ts';
import { inherit, newPlayState, type PlayState } from './context.ts';
import { type FoundTask, findTask, indexTasks } from './find-task.ts';
import { type PlayOutcome, playContext } from './play.ts';
import { recordedVariables } from './replay-task.ts';
import { restoredValue } from './restored-result.ts';
import { hostState, type RunState } from './run-state.ts';
import type { Sources } from './sources.ts';

/** What the journal says of a play that is done. */
export interface PastPlay {
  started: PlayStarted;
  ended: readonly TaskEnded[];
}

/**
 * A play that is done on every host, and whose text has changed since: nothing of it is run or decided again. What it
 * registered and set is what the plays after it find.
 */
export async function restorePlay(
  run: RunState,
  index: number,
  past: PastPlay,
  sources: Sources,
): Promise<PlayOutcome> {
  const { name, hosts, batches } = past.started;
  run.emitter.tell({ type: 'play-started', play: index, name, hosts, batches }, true);
  const tasks = indexTasks(run.playbook);
  const playState = newPlayState(run.playbook.plays[index]!, index);
  for (const ended of past.ended) {
    hostState(run, ended.host).count(ended.status, ended.ignored === true);
    const found = findTask(tasks, ended.task.id);
    if (found) await restoreTask(run, { playState, sources, found, hosts }, ended);
  }
  run.emitter.tell({ type: 'play-ended', play: index, failed: [], skippedBatches: 0 }, true);
  return { failed: [], empty: hosts.length === 0 };
}

interface Restoring {
  playState: PlayState;
  sources: Sources;
  found: FoundTask;
  hosts: readonly string[];
}

async function restoreTask(
  run: RunState,
  { playState, sources, found, hosts }: Restoring,
  ended: TaskEnded,
): Promise<void> {
  const { task, inherited, vars } = found;
  const module = run.modules.get(task.module)!;
  const settings = inherit(inherited, task);
  const host = hostState(run, ended.host);
  const names = settings.runOnce ? hosts : [ended.host];
  if (module.setsVariables && ended.status !== 'skipped') {
    const context = { ...playContext(run, playState, ended.batch, sources), vars };
    const variables = await recordedVariables({ context, task, host }, ended);
    for (const name of names) Object.assign(hostState(run, name).data, variables);
  }
  if (task.register === undefined) return;
  const value = restoredValue({ run, task, module, noLog: settings.noLog === true }, ended.result);
  for (const name of names) hostState(run, name).data[task.register] = value;
}
