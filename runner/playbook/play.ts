import type { Document } from '../load/document.ts';
import { constant, joined } from './compile.ts';
import { inside, type ParseContext, placeOf, remember, type Spot } from './context.ts';
import { Entries, isMapping, readEntries } from './entries.ts';
import { parseInherited, withoutUndefined } from './inherited.ts';
import type { Play } from './model.ts';
import { parseHandlers, parseSteps } from './steps.ts';

/** Parses one play; undefined, with diagnostics, when it is no mapping. */
function parsePlay(context: ParseContext, value: unknown, spot: Spot, index: number): Play | undefined {
  const entries = readEntries(context, value, spot, 'play');
  if (!entries) return undefined;
  const id = `plays[${index}]`;
  if (!('hosts' in (value as object))) {
    context.error('missing-keyword', 'a play needs `hosts`', placeOf(spot), {
      hint: 'for the control machine: `hosts: localhost`',
    });
  }
  return remember(makePlay(context, entries, id), spot);
}

function makePlay(context: ParseContext, entries: Entries, id: string): Play {
  const section = (name: string) => ({ spot: entries.at(name), id: `${id}.${name}`, chain: [] });
  const steps = (name: string) => parseSteps(context, entries.list(name), section(name));
  return withoutUndefined({
    ...parseInherited(entries),
    ...parseScheduling(entries),
    name: entries.literal<string>('name') ?? entries.strings('hosts').join(':'),
    place: placeOf(entries.spot),
    confirm: entries.template('confirm'),
    gatherFacts: entries.literal<boolean>('gather_facts') ?? false,
    forceHandlers: entries.literal<boolean>('force_handlers') ?? false,
    preTasks: steps('pre_tasks'),
    tasks: steps('tasks'),
    postTasks: steps('post_tasks'),
    handlers: parseHandlers(context, entries.list('handlers'), section('handlers')),
    gate: steps('gate'),
    rollback: steps('rollback'),
  }) as Play;
}

function parseScheduling(entries: Entries) {
  const hosts = entries.templates('hosts');
  return {
    hosts: hosts.length === 1 ? hosts[0]! : hosts.length > 1 ? joined(hosts, ':') : constant('all'),
    serial: entries.template('serial'),
    maxFailPercentage: entries.literal<number>('max_fail_percentage'),
    anyErrorsFatal: entries.literal<boolean>('any_errors_fatal') ?? false,
    onFailure: entries.literal<Play['onFailure']>('on_failure'),
    order: entries.literal<Play['order']>('order') ?? 'inventory',
    strategy: entries.literal<Play['strategy']>('strategy') ?? 'linear',
  };
}

/** Parses the plays of a playbook. */
export function parsePlays(context: ParseContext, items: readonly unknown[], spot: Spot): Play[] {
  const names = items.map((item) => (isMapping(item) ? item.name : undefined));
  names.forEach((name, index) => {
    const first = names.indexOf(name);
    if (typeof name !== 'string' || first === index) return;
    context.error('duplicate-name', `another play is called \`${name}\``, placeOf(inside(spot, index, 'name')), {
      related: [{ message: 'first here', place: placeOf(inside(spot, first, 'name')) }],
    });
  });
  return items.flatMap((item, index) => parsePlay(context, item, inside(spot, index), index) ?? []);
}

/** A play around the tasks of a file that is looked at by itself. */
export function tasksAsPlay(context: ParseContext, document: Document): Play {
  const spot = { document, path: [] };
  const entries = new Entries(context, spot, 'play', {});
  const play = makePlay(context, entries, 'file');
  play.tasks = parseSteps(context, document.value as unknown[], { spot, id: 'tasks', chain: [] });
  return remember(play, spot);
}
