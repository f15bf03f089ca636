import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { modules } from '../../modules/index.ts';
import { Raw } from '../language/raw.ts';
import { Sealed } from '../language/sealed.ts';
import type { Document } from '../load/document.ts';
import { sourceCandidates } from '../load/source-candidates.ts';
import type { Outline, StepOutline } from '../outline.ts';
import { type Spot, spotOf } from '../playbook/context.ts';
import type { Play, Playbook, Step, Task } from '../playbook/model.ts';

/** Characters of a hash: enough to tell two texts apart that nobody made to look alike. */
const SHOWN = 24;
/** Bytes up to which the content of a file counts; of a larger one its size and its time do. */
const MAX_HASHED = 1 << 20;
/** Files beside a playbook that are looked at; what a larger folder holds beyond that goes unnoticed. */
const MAX_SOURCES = 2_000;
/** Keys of a playbook that tell people something and change nothing. */
const TALK = new Set(['plays', 'description', 'notes']);
const NESTED = new Set(['block', 'rescue', 'always']);
/** Modules whose `src` (or whose shorthand) is a file of the control machine. */
const READERS = new Set(['copy', 'template', 'script', 'unarchive']);

/**
 * What a run is about to do, by its parts.
 * @param snapshot of the inventory: with many hosts it takes its time, and whoever calls this has it.
 */
export function outlineOf(
  { playbook, documents }: { playbook: Playbook; documents: readonly Document[] },
  snapshot: string,
): Outline {
  const root = Object.entries((playbook.document.value ?? {}) as object).filter(([key]) => !TALK.has(key));
  // What is encrypted is compared as it lies there: where in the file it differs, nobody can tell.
  const encrypted = documents.filter(isEncrypted).map(({ text }) => text);
  return {
    settings: hashOf([Object.fromEntries(root), encrypted]),
    inventory: hashOf(snapshot),
    plays: playbook.plays.map((play) => ({
      name: play.name,
      hash: hashOfPlay(play),
      steps: stepsOf(play).map(outlineOfStep),
    })),
    sources: sourcesOf(playbook),
  };
}

function hashOfPlay(play: Play): string {
  const own = spotOf(play);
  const included = new Set(stepsOf(play).map((step) => spotOf(step).document));
  included.delete(own.document);
  // Not by their names: the same file has several.
  return hashOf([valueAt(own), [...included].map(({ value }) => value)]);
}

/** Every task and block of a play. */
function stepsOf(play: Play): Step[] {
  const all = (steps: readonly Step[]): Step[] =>
    steps.flatMap((step) =>
      step.kind === 'task' ? step : [step, ...all([...step.steps, ...step.rescue, ...step.always])],
    );
  return all([...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers, ...play.gate]);
}

function outlineOfStep(step: Step): StepOutline {
  const value = valueAt(spotOf(step)) as object;
  if (step.kind === 'block') {
    const own = Object.entries(value).filter(([key]) => !NESTED.has(key));
    return { id: step.id, module: 'block', hash: hashOf(Object.fromEntries(own)) };
  }
  const speaks = step.register !== undefined || modules.get(step.module)?.setsVariables === true;
  return { id: step.id, module: step.module, hash: hashOf(value), ...(speaks ? { speaks } : {}) };
}

function valueAt({ document, path }: Spot): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], document.value);
}

function isEncrypted({ text }: Document): boolean {
  return text.startsWith('$ANSIBLE_VAULT;') || /^\s*"?sops"?\s*:/m.test(text);
}

function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(written(value)))
    .digest('hex')
    .slice(0, SHOWN);
}

/** A value as it was written: `!raw` and what is secret differ from the same text without a tag. */
function written(value: unknown): unknown {
  if (value instanceof Raw) return { '!raw': value.text };
  if (value instanceof Sealed) return { '!secret': value.toJSON() };
  if (Array.isArray(value)) return value.map(written);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, written(item)]));
}

/** The files below `files` and `templates` beside the playbook, and those that tasks name without a template. */
function sourcesOf({ directory, plays }: Playbook): Record<string, string> {
  const paths = new Set(['files', 'templates'].flatMap((name) => filesBelow(resolve(directory, name))));
  for (const step of plays.flatMap(stepsOf)) {
    const named = step.kind === 'task' && READERS.has(step.module) ? namedSource(step) : undefined;
    if (named !== undefined) for (const path of filesOf(directory, named)) paths.add(path);
  }
  const listed = [...paths].sort().slice(0, MAX_SOURCES);
  const shown = (path: string) => {
    const inside = relative(resolve(directory), path);
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  };
  return Object.fromEntries(listed.map((path) => [shown(path), markOf(path)]));
}

function namedSource({ module, argsAt: { value } }: Task): string | undefined {
  const shorthand = modules.get(module)?.shorthand;
  const src = typeof value === 'string' && shorthand === 'src' ? value : (value as { src?: unknown } | null)?.src;
  return typeof src === 'string' && !src.includes('{{') ? src : undefined;
}

function filesOf(directory: string, named: string): string[] {
  for (const path of sourceCandidates(resolve(directory), named)) {
    const info = statSync(path, { throwIfNoEntry: false });
    if (info?.isDirectory()) return filesBelow(path);
    if (info) return [path];
  }
  return [];
}

function filesBelow(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function markOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  // A pipe would be waited for; whoever reads it later says that it is none of a file.
  if (!info?.isFile()) return '';
  if (info.size > MAX_HASHED) return `${info.size} ${info.mtimeMs}`;
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, SHOWN);
  } catch {
    // Whoever reads it later is told why it cannot be read.
    return 'unreadable';
  }
}
