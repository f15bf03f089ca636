import type { TaskEnded } from '../events.ts';
import { isUnknown } from '../language/unknown.ts';
import { scopeFor } from './conditions.ts';
import { withFacts } from './gather.ts';
import { notify } from './handlers.ts';
import { evaluateItems, loopLocals } from './loop.ts';
import { holdsMask } from './lost-secret.ts';
import { type Attempt, baseResult, isPartlyDone } from './outcome.ts';
import { isSameItem } from './recorded-effects.ts';
import { fromEvent } from './recorded-value.ts';
import type { RecordedTask } from './replay.ts';
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
  if (module.setsVariables && ended.status !== 'skipped') {
    taskRun.variables = await recordedVariables(taskRun, ended);
    Object.assign(taskRun.host.data, taskRun.variables);
  }
  if (ended.status === 'changed' || isPartlyDone(task, ended)) await notify(context, taskRun, true);
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
export async function recordedVariables(
  { context, task, host }: Pick<TaskRun, 'context' | 'task' | 'host'>,
  { result }: TaskEnded,
): Promise<Record<string, unknown>> {
  const names = Object.keys((task.argsAt.value ?? {}) as object);
  const recorded = fromEvent(result ?? {}, context.run.readArtefact ?? ((path) => path)) as Record<string, unknown>;
  const results = (task.loop ? (recorded.results ?? []) : [recorded]) as Record<string, unknown>[];
  const set = results.map((one) => one.skipped !== true && one.failed !== true);
  if (!holdsMask(recorded) && !names.some((name) => BASE.has(name)) && set.length > 0) {
    const pairs = results.flatMap((one, index) => (set[index] ? names.map((name) => [name, one[name]]) : []));
    return Object.fromEntries(pairs) as Record<string, unknown>;
  }
  let values: Record<string, unknown> = {};
  for (const [index, locals] of (await localsOf({ context, task, host })).entries()) {
    if (set[index] === false) continue;
    const scope = scopeFor(context, task, host, locals);
    values = { ...values, ...((await withFacts(context.run, () => task.args.render(scope))) as object) };
  }
  return values;
}

/** The names of each item of a loop; without a loop there is one without names. */
async function localsOf({ context, task, host }: Pick<TaskRun, 'context' | 'task' | 'host'>) {
  if (!task.loop) return [{}];
  const items = await evaluateItems(context, task, scopeFor(context, task, host));
  if (isUnknown(items)) return [];
  return items.values.map((value, index) => loopLocals(task, value, index));
}

/** What every result has: a variable of such a name cannot be told from it. */
const BASE = new Set(Object.keys(baseResult({}, {})));
