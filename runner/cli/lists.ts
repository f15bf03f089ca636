import { modules } from '../../modules/index.ts';
import { EXIT } from '../errors.ts';
import { inherit, NOTHING_INHERITED, selectedByTags } from '../execute/context.ts';
import type { Inventory } from '../inventory/model.ts';
import { layeredScope } from '../language/scope.ts';
import type { Play, Step, Task } from '../playbook/model.ts';
import { describeTask } from '../playbook/task-name.ts';
import type { LoadedRun } from './load-run.ts';
import { texts, words } from './options.ts';

/** `--list-hosts`, `--list-tasks`, `--list-tags`: what a run would go through. Connects nowhere. */
export function printLists({ playbook, inventory, filled }: LoadedRun, options: Record<string, unknown>): number {
  const limit = texts(options.limit).join(',');
  const tags = { wanted: words(options.tags), skipped: words(options.skipTags) };
  const scope = layeredScope([{ inputs: filled.inputs, groups: {}, hosts: {} }, filled.extraVars, playbook.vars]);
  for (const play of playbook.plays) {
    const pattern = [play.hosts.render(scope)].flat().map(String).join(',');
    console.log(`PLAY ${play.name}`);
    if (options.listHosts) printIndented('hosts', hostsOf(inventory, pattern, limit));
    if (options.listTasks) printIndented('tasks', tasksOf(play, tags));
    if (options.listTags) printIndented('tags', tagsOf(play));
  }
  return EXIT.done;
}

function printIndented(title: string, lines: readonly string[]): void {
  console.log(`  ${title} (${lines.length})`);
  for (const line of lines) console.log(`    ${line}`);
}

function hostsOf(inventory: Inventory, pattern: string, limit: string): string[] {
  if (pattern === 'localhost' && !inventory.hosts.has('localhost')) return ['localhost'];
  const hosts = inventory.match(pattern);
  if (limit === '') return hosts;
  const within = new Set(inventory.match(limit));
  return hosts.filter((host) => within.has(host));
}

const SECTIONS = [
  ['', 'preTasks'],
  ['', 'tasks'],
  ['', 'postTasks'],
  ['gate: ', 'gate'],
  ['handler: ', 'handlers'],
] as const;

function tasksOf(play: Play, { wanted, skipped }: { wanted: string[]; skipped: string[] }): string[] {
  const outer = inherit(NOTHING_INHERITED, play);
  return SECTIONS.flatMap(([before, section]) =>
    [...withTags(play[section], outer.tags)]
      .filter(({ tags }) => section === 'handlers' || selectedByTags(tags, wanted, skipped))
      .map(({ task, tags }) => `${before}${nameOf(task)}${tags.length > 0 ? `  [${unique(tags).join(', ')}]` : ''}`),
  );
}

function tagsOf(play: Play): string[] {
  const all = SECTIONS.flatMap(([, section]) => [...withTags(play[section], play.tags)].flatMap(({ tags }) => tags));
  return unique(all).sort();
}

function* withTags(steps: readonly Step[], outer: readonly string[]): Generator<{ task: Task; tags: string[] }> {
  for (const step of steps) {
    const tags = [...outer, ...step.tags];
    if (step.kind === 'task') yield { task: step, tags };
    else for (const inner of [step.steps, step.rescue, step.always]) yield* withTags(inner, tags);
  }
}

/** A name with templates is shown as its module: it differs from host to host. */
function nameOf(task: Task): string {
  const name = task.name.isStatic ? String(task.name.render(layeredScope([]))) : task.module;
  return name === task.module ? describeTask(task, modules.get(task.module)!) : name;
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
