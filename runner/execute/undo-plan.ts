import { isDeepStrictEqual } from 'node:util';
import { EXIT, ReeveError } from '../errors.ts';
import type { EffectStarted, RunEvent, TaskReference } from '../events.ts';
import type { AnyModule, Change } from '../module.ts';
import type { Playbook } from '../playbook/model.ts';
import { effectKey, taskKey } from './effect-key.ts';
import { holdsMask } from './lost-secret.ts';

/** One change of a run, in the order in which it is to be taken back. */
export interface UndoStep {
  /** Number of the `effect-ended` event; of the `effect-started` event when the run died in it. */
  effect: number;
  host: string;
  task: TaskReference;
  play: number;
  changes: Change[];
  /** The host that it was made on, when delegated. */
  delegate?: string;
  undo?: unknown;
  /** Why it is left as it is; undefined when it goes back. */
  cannot?: string;
  /** Why it must not go back, nor anything that was done before it. */
  refused?: string;
  hint?: string;
  /** What stays of it although it goes back, a sentence each. */
  stays: string[];
}

/** A play's own `rollback:` tasks, and the hosts that it had changed. */
export interface RollbackTasks {
  play: number;
  hosts: string[];
}

export interface UndoPlan {
  /** The last change first; what an earlier rollback has undone is left out. */
  steps: UndoStep[];
  /** The last play first; plays that were rolled back to their end are left out. */
  tasks: RollbackTasks[];
  /** A rollback has begun and not come to its end. */
  begun: boolean;
}

/** A write as the journal has it: begun, and perhaps ended. */
interface Effect extends Omit<EffectStarted, 'type'> {
  seq: number;
  /** Undefined when the run died in it. */
  ok?: boolean;
}

/**
 * What can and what cannot be undone of a run.
 * @param keepPlays changes of plays before this number stay.
 */
export function planUndo(
  events: readonly RunEvent[],
  modules: ReadonlyMap<string, AnyModule>,
  playbook: Pick<Playbook, 'plays'>,
  keepPlays = 0,
): UndoPlan {
  const tasks = new Map<string, { task: TaskReference; play: number; ended: boolean }>();
  const undone = new Set<number>();
  /** Plays from this number on have been rolled back, their own tasks included. */
  let rolledBack = Number.POSITIVE_INFINITY;
  let open: number | undefined;
  for (const event of events) {
    if (event.type === 'task-started')
      tasks.set(taskKey(event.host, event.task.id), { task: event.task, play: event.play, ended: false });
    else if (event.type === 'task-ended') {
      const known = tasks.get(taskKey(event.host, event.task.id));
      if (known) known.ended = true;
    } else if (event.type === 'undo-ended' && event.ok) undone.add(event.effect);
    else if (event.type === 'rollback-started') open = event.keeps ?? 0;
    else if (event.type === 'rollback-ended' && event.ok) {
      rolledBack = Math.min(rolledBack, open ?? 0);
      open = undefined;
    }
  }
  const steps: UndoStep[] = [];
  const changed = new Map<number, Set<string>>();
  for (const effect of effectsOf(events)) {
    const known = tasks.get(taskKey(effect.host, effect.task));
    // What rollback tasks did is not taken back in turn.
    if (!known || known.play < keepPlays || known.task.section === 'rollback') continue;
    const { task, play } = known;
    const hosts = changed.get(play) ?? new Set();
    changed.set(play, hosts.add(effect.host));
    if (undone.has(effect.seq)) continue;
    const { seq, host, changes, delegate, undo } = effect;
    steps.push({
      ...{ effect: seq, host, task, play, changes, undo },
      ...(delegate === undefined ? {} : { delegate }),
      ...forecast(modules.get(task.module), effect, known.ended),
    });
  }
  return {
    steps: steps.sort((a, b) => b.effect - a.effect),
    tasks: [...changed]
      .filter(([play]) => play < rolledBack && (playbook.plays[play]?.rollback.length ?? 0) > 0)
      .map(([play, hosts]) => ({ play, hosts: [...hosts] }))
      .sort((a, b) => b.play - a.play),
    begun: open !== undefined,
  };
}

/**
 * Why nothing of a run can be taken back, all hosts by name; undefined when nothing stands against it. What was done
 * before a change that must not go back is what that one now rests on: taking away the rest would not make things better.
 */
export function refusalOf(steps: readonly UndoStep[]): ReeveError | undefined {
  const refused = steps.filter((step) => step.refused !== undefined);
  if (refused.length === 0) return undefined;
  const hints = new Set(refused.flatMap(({ hint }) => (hint === undefined ? [] : [hint])));
  const reasons = refused.map((step) => `${step.host}: ${step.task.name}: ${step.refused}`);
  return new ReeveError('cannot-undo', reasons.join('; '), {
    ...(hints.size > 0 && { hint: [...hints].join('; ') }),
    exitCode: EXIT.refused,
  });
}

/**
 * Every write that the run announced. One in which the run died stays one of its own when the run went on, unless the next
 * try goes back to the same: what it found need not be what was there at first.
 */
function effectsOf(events: readonly RunEvent[]): Effect[] {
  const effects: Effect[] = [];
  const open = new Map<string, Effect>();
  for (const event of events) {
    if (event.type === 'effect-started') {
      const effect = begunEffect(event);
      effects.push(effect);
      open.set(effectKey(event), effect);
    } else if (event.type === 'effect-ended') {
      const effect = open.get(effectKey(event));
      open.delete(effectKey(event));
      if (!effect) continue;
      effect.seq = event.seq;
      effect.ok = event.ok;
      // Its end says best what to go back to, and that there is nothing.
      if (event.undo === undefined) delete effect.undo;
      else effect.undo = event.undo;
    }
  }
  const isRepeated = (effect: Effect, index: number) =>
    effect.ok === undefined &&
    effects.slice(index + 1).some((other) => isSameEffect(effect, other) && isDeepStrictEqual(effect.undo, other.undo));
  return effects.filter((effect, index) => !isRepeated(effect, index));
}

function isSameEffect(a: Effect, b: Effect): boolean {
  return effectKey(a) === effectKey(b);
}

function begunEffect(event: EffectStarted & { seq: number }): Effect {
  const { seq, host, task, item, changes, delegate, undo } = event;
  return {
    ...{ seq, host, task, changes },
    ...(item === undefined ? {} : { item }),
    ...(delegate === undefined ? {} : { delegate }),
    ...(undo === undefined ? {} : { undo }),
  };
}

/** @param ended the task has come to its end since, when the run died in the effect */
function forecast(
  module: AnyModule | undefined,
  { undo, ok }: Effect,
  ended: boolean,
): Pick<UndoStep, 'cannot' | 'refused' | 'hint' | 'stays'> {
  const cannot = whyNot(module, { undo, ok }, ended);
  if (cannot !== undefined) return { cannot, stays: [] };
  const { stays = [], ...foreseen } = module?.foreseeUndo?.(undo) ?? {};
  return { ...foreseen, stays };
}

function whyNot(
  module: AnyModule | undefined,
  { undo, ok }: Pick<Effect, 'undo'> & { ok: boolean | undefined },
  ended: boolean,
): string | undefined {
  if (!module?.undo) return module?.noUndo ?? 'this module has no way back';
  if (undo === undefined) {
    if (ok === undefined && ended) return 'the run died in it, and what was there before was not kept';
    if (ok === undefined)
      return 'the run died in it: how far it came is not known; resume the run first, or look at the host';
    return ok ? 'nothing was kept to go back to' : 'it failed, and left no record of what it did';
  }
  // A mask stands for a path or a value that nobody knows any more: it must not reach a host.
  if (holdsMask(undo)) return 'its record holds a secret, which no journal keeps';
  return undefined;
}
