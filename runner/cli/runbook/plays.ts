import { dirname, join, relative, resolve } from 'node:path';
import type { Inventory } from '../../inventory/model.ts';
import { layeredScope } from '../../language/scope.ts';
import type { Compiled } from '../../language/types.ts';
import type { Play, Playbook, Step } from '../../playbook/model.ts';
import { code, plainText } from '../../report/action-log/markdown.ts';
import { named } from '../../report/names.ts';
import {
  changes,
  conditionsOf,
  isForPeople,
  type Procedure,
  type RunbookTask,
  type StepOptions,
  stepLines,
} from './steps.ts';

export interface RunbookOptions {
  /** Path of the playbook as a person types it. */
  file: string;
  /** Values of the inputs as far as they are given; the others have their defaults. */
  inputs: Record<string, unknown>;
  /** The arguments that gave some of them: `-e name=value`. */
  given: readonly string[];
  inventory?: { sources: readonly string[]; model: Inventory };
}

/** Procedures by the file they are written in: their letter. */
export type Letters = ReadonlyMap<string, string>;

export interface PlayEntry {
  play: Play;
  /** Its tasks; what several plays share is a procedure. */
  items: (RunbookTask | Procedure)[];
  tasks: RunbookTask[];
  handlers: RunbookTask[];
  gate: RunbookTask[];
}

/** What a play does in its turn, handlers and gate aside. */
export function stepsOf({ preTasks, tasks, postTasks }: Play): Step[] {
  return [...preTasks, ...tasks, ...postTasks];
}

/** How to read the steps by hand. */
export function legend(letters: Letters): string[] {
  return [
    'reeve does all of this. By hand: `HOST` is the host whose turn it is, `NODE` its name in the cluster, and what stands in `<…>` comes from the step that bears its name. Commands without a host run where `kubectl` reaches the cluster.',
    ...(letters.size > 0 ? ['What several parts have in common is a procedure below.'] : []),
  ];
}

/** What every step is written with. */
export interface Around extends StepOptions {
  playbook: Playbook;
  options: RunbookOptions;
  letters: Letters;
}

/** One play, its steps numbered. */
export function playLines({ play, tasks, items, handlers, gate }: PlayEntry, index: number, around: Around): string[] {
  const { playbook, options } = around;
  const document = playbook.document.value as { plays: { hosts?: unknown }[] };
  const hosts = hostsLine(play, document.plays[index]?.hosts, options);
  const title = [`### ${index + 1}. ${plainText(play.name)}`, ''];
  if (hosts === undefined) return [...title, 'Nothing to do: no host, with these inputs.', ''];
  const batches = play.serial
    ? `, ${written(play.serial)} at a time: all steps on one before the next`
    : tasks.some(changes)
      ? ', all at the same time'
      : '';
  const more = (heading: string, entries: readonly RunbookTask[]) =>
    entries.length === 0 ? [] : [`#### ${heading}`, '', ...numbered(entries, around)];
  return [
    ...title,
    ...[`On ${hosts}${batches}.`, ''],
    ...numbered(items, around),
    ...more('After each batch', gate),
    ...more('Handlers, when something asked for them', handlers),
  ];
}

function numbered(items: readonly (RunbookTask | Procedure)[], around: Around): string[] {
  return items
    .filter((item) => 'file' in item || isForPeople(item))
    .flatMap((item, index) => {
      const number = `${index + 1}.`;
      if (!('file' in item)) return stepLines(item, number, around);
      const values = item.with.length > 0 ? `, with ${item.with.map(code).join(', ')}` : '';
      const when = item.when.map((condition) => `, only when ${code(condition)}`).join('');
      return [
        `${number} [ ] **Procedure ${around.letters.get(item.file)}** (${shownFile(item.file, around)})${values}${when}`,
        '',
      ];
    });
}

/** What several plays share, each once. */
export function procedures(plays: readonly PlayEntry[], around: Around): string[][] {
  const all = plays.flatMap(({ items }) => items.flatMap((item) => ('file' in item ? [item] : [])));
  return [...around.letters].map(([file, letter]) => {
    const { tasks } = all.find((one) => one.file === file)!;
    return [`## Procedure ${letter}: ${shownFile(file, around)}`, '', ...numbered(tasks, around)];
  });
}

/** An included file, beside the playbook as a person types that one. */
function shownFile(file: string, { playbook, options }: Around): string {
  return code(join(dirname(options.file), relative(resolve(playbook.directory), resolve(file))));
}

/** The variables of the playbook that its conditions name: without them nobody can tell what a condition means. */
export function wordsSection(playbook: Playbook, all: readonly RunbookTask[]): string[] {
  const conditions = all.flatMap(({ when }) => conditionsOf(when)).join(' ');
  const words = Object.entries(playbook.vars).filter(
    ([name, { value }]) => !isLong(value) && new RegExp(`(?<![\\w.])${name}\\b`).test(conditions),
  );
  if (words.length === 0) return [];
  const lines = words.map(
    ([name, { value }]) => `- ${code(name)}: ${code(String(value).replaceAll(/\s+/g, ' ').trim())}`,
  );
  return ['## Words in Conditions', '', ...lines, ''];
}

/** A template that nobody reads: its name has to do. */
function isLong(value: unknown): boolean {
  return String(value).length > 150;
}

/** The hosts as far as they are known; undefined when there is none. Without an inventory every group it names is there. */
function hostsLine(play: Play, writtenAs: unknown, { inventory, inputs }: RunbookOptions): string | undefined {
  const text = [writtenAs].flat().map(String).join(':');
  try {
    const model = inventory?.model;
    const groups = model
      ? Object.fromEntries([...model.groups.keys()].map((name) => [name, model.hostsOf(name)]))
      : Object.fromEntries([...text.matchAll(/\bgroups\.(\w+)/g)].map(([, name]) => [name, []]));
    const value = play.hosts.render(layeredScope([{ inputs, groups, hosts: {} }]));
    const pattern = [value].flat().map(String).join(',');
    if (pattern === '') return undefined;
    const hosts = model?.match(pattern);
    return hosts === undefined ? code(pattern) : `${code(pattern)} (${plainText(named(hosts, 20)) || 'none'})`;
  } catch {
    return play.hosts.isStatic ? code(text) : 'hosts that are known only when it runs';
  }
}

/** A value of a play, as far as it is known. */
export function written(compiled: Compiled): string {
  if (!compiled.isStatic) return 'a value known only when it runs';
  const value = compiled.render(layeredScope([]));
  return code(Array.isArray(value) ? value.join(', then ') : String(value));
}
