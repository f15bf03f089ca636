import { isDeepStrictEqual } from 'node:util';
import { diffArrays } from 'diff';
import type { Renamed, RunEvent } from '../events.ts';
import type { Outline, StepOutline } from '../outline.ts';

/** What differs between what was run and what is there now. */
export interface Changes {
  /** Changes that can reach what remains, for people. */
  reaching: string[];
  /** Changed plays that are done on every host: they are not looked at again. */
  past: number[];
  /** Steps whose place in the playbook is another one now. */
  renamed: Renamed;
}

/** @param events what the run has done. */
export function compareOutlines(before: Outline, now: Outline, events: readonly RunEvent[]): Changes {
  const done = donePlays(events);
  const reaching: string[] = [];
  const past: number[] = [];
  if (before.settings !== now.settings) reaching.push('what the playbook says outside of its plays');
  if (before.inventory !== now.inventory) reaching.push('the inventory');
  if (before.plays.length !== now.plays.length) reaching.push('the number of plays');
  for (const [index, play] of now.plays.entries()) {
    const old = before.plays[index];
    if (!old || (old.hash === play.hash && old.name === play.name)) continue;
    if (done.has(index) && isDeepStrictEqual(spoken(old.steps), spoken(play.steps))) past.push(index);
    else reaching.push(`play "${play.name}"${done.has(index) ? ' (what it registers, or sets)' : ''}`);
  }
  const names = new Set([...Object.keys(before.sources), ...Object.keys(now.sources)]);
  for (const name of [...names].sort())
    if (before.sources[name] !== now.sources[name]) reaching.push(`the file ${name}`);
  return { reaching, past, renamed: renamedSteps(before, now) };
}

function spoken(steps: readonly StepOutline[]): string[] {
  return steps.filter((step) => step.speaks).map((step) => step.hash);
}

/**
 * Plays that ended well on every one of their hosts. A play that was interrupted ends too: only that the next one has
 * begun proves it. Hosts that failed in an earlier play take part again when it is resumed.
 */
function donePlays(events: readonly RunEvent[]): ReadonlySet<number> {
  let last = -1;
  const failed = new Map<number, boolean>();
  for (const event of events) {
    if (event.type === 'play-started') last = Math.max(last, event.play);
    else if (event.type === 'play-ended') failed.set(event.play, event.failed.length > 0 || event.skippedBatches > 0);
  }
  const done = new Set<number>();
  for (let play = 0; play < last && failed.get(play) === false; play++) done.add(play);
  return done;
}

/** A step that is written as before is the same one, wherever it stands; between two such steps one of the same module is. */
function renamedSteps(before: Outline, now: Outline): Renamed {
  const renamed: Renamed = {};
  for (const [index, { steps }] of before.plays.entries()) {
    let [at, to] = [0, 0];
    let gap: { old: StepOutline[]; new: StepOutline[] } = { old: [], new: [] };
    const pair = (old: StepOutline, other: StepOutline | undefined) => {
      if (old.id !== other?.id) renamed[old.id] = other?.id ?? null;
    };
    const close = () => {
      for (const old of gap.old) {
        // A block that says something else is decided anew.
        const found = old.module === 'block' ? -1 : gap.new.findIndex((step) => step.module === old.module);
        pair(old, found < 0 ? undefined : gap.new[found]);
        if (found >= 0) gap.new.splice(0, found + 1);
      }
      gap = { old: [], new: [] };
    };
    const others = now.plays[index]?.steps ?? [];
    for (const part of diffArrays(steps.map(keyOf), others.map(keyOf))) {
      const { length } = part.value;
      if (part.removed) gap.old.push(...steps.slice(at, at + length));
      else if (part.added) gap.new.push(...others.slice(to, to + length));
      else {
        close();
        for (let n = 0; n < length; n++) pair(steps[at + n]!, others[to + n]);
      }
      if (!part.added) at += length;
      if (!part.removed) to += length;
    }
    close();
  }
  return renamed;
}

/** A handler is not a task that was moved. */
function keyOf({ id, hash }: StepOutline): string {
  return `${/^plays\[\d+\]\.(\w+)/.exec(id)?.[1]} ${hash}`;
}
