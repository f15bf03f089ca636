import type { TaskEnded } from '../events.ts';
import { scopeFor } from './conditions.ts';
import { withFacts } from './gather.ts';
import { notify } from './handlers.ts';
import { holdsMask } from './lost-secret.ts';
import { type Attempt, baseResult } from './outcome.ts';
import { fromEvent } from './recorded-value.ts';
import { isSameItem, type RecordedTask } from './replay.ts';
import { restoredValue } from './restored-result.ts';
import type { TaskRun } from './task-run.ts';
import { retriedTask } from './tries.ts';

/**
 * Brings a host to where a task left it that the journal says is done: its variables and the handlers it notified. Gives
 * what it registered; undefined when it has to be run again after all: its result holds a secret, which no journal keeps,
 * and it has only read.
 */
export async function replayTask(
  taskRun: TaskRun,
  { ended, hadEffect }: RecordedTask & { ended: TaskEnded },
): Promise<Record<string, unknown> | undefined> {
  const { context, task, module } = taskRun;
  const isLost = task.register !== undefined && needsSecret(taskRun, ended.result) && ended.status !== 'skipped';
  const hasOnlyRead = !hadEffect && (ended.status === 'ok' || (module.kind === 'check' && ended.ignored === true));
  if (isLost && hasOnlyRead) return undefined;
  if (module.setsVariables && ended.status !== 'skipped') await replayVariables(taskRun, ended);
  if (ended.status === 'changed') await notify(context, taskRun, true);
  const result = restored(taskRun, ended);
  if (!isLost || module.kind !== 'state' || ended.status !== 'changed' || task.loop) return result;
  return (await readAgain(taskRun, result)) ?? result;
}

/** An item of a loop that an earlier run has done, as an attempt; undefined when it is to be run. */
export function replayedItem(taskRun: TaskRun, index: number, label: string): Attempt | undefined {
  const item = taskRun.recordedItems[index];
  if (!item || !isSameItem(item.item, label)) return undefined;
  const isLost = taskRun.task.register !== undefined && needsSecret(taskRun, item.result);
  if (isLost && item.status === 'ok' && !item.hadEffect) return undefined;
  return {
    status: item.status,
    result: restored(taskRun, item),
    changes: item.changes ?? [],
    ...(item.message === undefined ? {} : { message: item.message }),
  };
}

function needsSecret({ settings }: TaskRun, result: unknown): boolean {
  return settings.noLog === true || holdsMask(result);
}

function restored(
  { context, task, module, settings }: TaskRun,
  { status, result }: Pick<TaskEnded, 'status' | 'result'>,
) {
  const value = restoredValue({ run: context.run, task, module, noLog: settings.noLog === true }, result);
  // Journals of before there was a result with no_log.
  if (result) return value;
  const failed = status === 'failed' || status === 'unreachable';
  return { ...value, changed: status === 'changed', failed, skipped: status === 'skipped', unknown: false };
}

/**
 * What a state module finds is what it has made, so that it can be read again. Nothing is changed: tasks after it may have
 * changed the same thing since, and then what it made is lost.
 */
async function readAgain(
  taskRun: TaskRun,
  recorded: Record<string, unknown>,
): Promise<Record<string, unknown> | undefined> {
  const planning: TaskRun = { ...taskRun, settings: { ...taskRun.settings, checkMode: true }, warnings: [] };
  const { status, result } = await retriedTask(planning, {}, undefined);
  return status === 'ok' ? { ...recorded, ...result, changed: true } : undefined;
}

/** What set-vars has set: as it was recorded, since facts may be others by now; rendered again where that is masked. */
export async function replayVariables(
  { context, task, host }: Pick<TaskRun, 'context' | 'task' | 'host'>,
  { args, result }: TaskEnded,
): Promise<void> {
  const names = Object.keys(args ?? {});
  const isRecorded = names.every((name) => Object.hasOwn(result ?? {}, name) && !BASE.has(name));
  const recorded = fromEvent(result ?? {}, context.run.readArtefact ?? ((path) => path)) as Record<string, unknown>;
  if (names.length > 0 && isRecorded && !holdsMask(recorded)) {
    for (const name of names) host.data[name] = recorded[name];
  } else Object.assign(host.data, await withFacts(context.run, () => task.args.render(scopeFor(context, task, host))));
}

/** What every result has: a variable of such a name cannot be told from it. */
const BASE = new Set(Object.keys(baseResult({}, {})));
