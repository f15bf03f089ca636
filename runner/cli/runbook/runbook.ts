import type { Inventory } from '../../inventory/model.ts';
import { layeredScope } from '../../language/scope.ts';
import type { Compiled } from '../../language/types.ts';
import type { Play, Playbook } from '../../playbook/model.ts';
import { code, plainText, prose, table } from '../../report/action-log/markdown.ts';
import { named } from '../../report/names.ts';
import { shownValue } from '../../report/what-ran.ts';
import { changes, nameOf, type RunbookTask, stepLines, tasksIn } from './steps.ts';

export interface RunbookOptions {
  /** Path of the playbook as a person types it. */
  file: string;
  /** Values of the inputs as far as they are given; the others have their defaults. */
  inputs: Record<string, unknown>;
  /** The arguments that gave some of them: `-e name=value`. */
  given: readonly string[];
  inventory?: { sources: readonly string[]; model: Inventory };
}

interface PlayEntry {
  play: Play;
  tasks: RunbookTask[];
  handlers: RunbookTask[];
  gate: RunbookTask[];
}

/** A playbook as a runbook for people, in Markdown. Made from the playbook itself, so that the two never differ. */
export function runbook(playbook: Playbook, options: RunbookOptions): string {
  const plays = playbook.plays.map(
    (play): PlayEntry => ({
      play,
      tasks: tasksIn([...play.preTasks, ...play.tasks, ...play.postTasks]),
      handlers: tasksIn(play.handlers),
      gate: tasksIn(play.gate),
    }),
  );
  const all = plays.flatMap(({ tasks, gate }) => [...tasks, ...gate]);
  const first = all.findIndex(changes);
  const before = first < 0 ? all : all.slice(0, first);
  const after = first < 0 ? [] : all.slice(first);
  const sections = [
    title(playbook, options),
    inputsSection(playbook, options.inputs),
    checklistSection(playbook, before, options),
    ['## Steps', '', ...plays.flatMap((entry, index) => playLines(entry, index, playbook, options))],
    checksSection(after),
    whenSection(plays, after),
    rollbackSection(after),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n').trim())
    .join('\n\n')}\n`;
}

function title(playbook: Playbook, { file }: RunbookOptions): string[] {
  return [
    ...[`# Runbook: ${plainText(playbook.name)}`, ''],
    ...(playbook.description ? [prose(playbook.description), ''] : []),
    `Made by ${code(`reeve runbook ${file}`)}; change the playbook, not this text.`,
    '',
    ...playbook.notes.map((note) => `- ${prose(note)}`),
  ];
}

function inputsSection(playbook: Playbook, inputs: Record<string, unknown>): string[] {
  const rows = Object.entries(playbook.inputs).map(([name, spec]) => [
    code(name),
    spec.secret
      ? '(secret)'
      : inputs[name] === undefined
        ? '**must be given**'
        : inputs[name] === ''
          ? ''
          : code(shownValue(inputs[name])),
    prose(spec.description ?? ''),
  ]);
  return rows.length === 0 ? [] : ['## Inputs', '', ...table(['Input', 'Value here', 'What it is'], rows), ''];
}

function checklistSection(playbook: Playbook, before: readonly RunbookTask[], options: RunbookOptions): string[] {
  const { file, inventory } = options;
  const source = inventory ? inventory.sources.map((one) => ` -i ${one}`).join('') : ' -i INVENTORY';
  const missing = Object.entries(playbook.inputs).filter(
    ([name, spec]) => options.inputs[name] === undefined && spec.default === undefined,
  );
  const values = [
    ...options.given.map((one) => ` -e ${/^[\w./:=+@-]+$/.test(one) ? one : `'${one.replaceAll("'", "'\\''")}'`}`),
    ...missing.map(([name]) => ` -e ${name}=VALUE`),
  ].join('');
  const checks = before.filter(isCheck);
  const confirms = playbook.plays.filter(({ confirm }) => confirm);
  const lock = playbook.lock ? [`Nobody else holds the lock ${written(playbook.lock)}`] : [];
  const lines = [
    `Hosts and cluster have what it needs: ${code(`reeve doctor${source}`)}`,
    `What it would do was read: ${code(`reeve run ${file}${source}${values} --check --diff`)}`,
    ...lock,
    ...checks.map((check) => plainText(nameOf(check))),
    ...confirms.map(({ name }) => `Somebody is there to confirm the play ${plainText(name)} (or ${code('--yes')})`),
  ];
  return [
    ...['## Before You Start', '', ...lines.map((line) => `- [ ] ${line}`), ''],
    ...['Then:', '', '```sh', `reeve run ${file}${source}${values}`, '```', ''],
  ];
}

function playLines(
  { play, tasks, handlers, gate }: PlayEntry,
  index: number,
  playbook: Playbook,
  options: RunbookOptions,
): string[] {
  const document = playbook.document.value as { plays: { hosts?: unknown }[] };
  const batches = play.serial
    ? `, ${written(play.serial)} at a time`
    : tasks.some(changes)
      ? ', all at the same time'
      : '';
  const numbered = tasks.map((task, index) => stepLines(task, `${index + 1}.`, options.inputs));
  const more = (heading: string, entries: readonly RunbookTask[]) =>
    entries.length === 0
      ? []
      : [`#### ${heading}`, '', ...entries.flatMap((task, index) => stepLines(task, `${index + 1}.`, options.inputs))];
  return [
    ...[
      `### ${index + 1}. ${plainText(play.name)}`,
      '',
      `On ${hostsLine(play, document.plays[index]?.hosts, options)}${batches}.`,
      '',
    ],
    ...numbered.flat(),
    ...more('After each batch', gate),
    ...more('Handlers, when something asked for them', handlers),
  ];
}

/** The hosts as far as they are known: a pattern that looks at the inventory is shown as it is written without one. */
function hostsLine(play: Play, writtenAs: unknown, { inventory, inputs }: RunbookOptions): string {
  if (!inventory && !play.hosts.isStatic) return code([writtenAs].flat().map(String).join(':'));
  try {
    const model = inventory?.model;
    const names = [...(model?.groups.keys() ?? [])];
    const groups = Object.fromEntries(names.map((name) => [name, model!.hostsOf(name)]));
    const value = play.hosts.render(layeredScope([{ inputs, groups, hosts: {} }]));
    const pattern = [value].flat().map(String).join(',');
    if (pattern === '') return 'no host, with these inputs';
    const hosts = inventory?.model.match(pattern);
    return hosts === undefined ? code(pattern) : `${code(pattern)} (${plainText(named(hosts, 20)) || 'none'})`;
  } catch {
    return 'hosts that are known only when it runs';
  }
}

function written(compiled: Compiled): string {
  if (!compiled.isStatic) return 'a value known only when it runs';
  const value = compiled.render(layeredScope([]));
  return code(Array.isArray(value) ? value.join(', then ') : String(value));
}

/** Of the modules that change nothing, those that say whether something holds. */
const NO_CHECKS = new Set(['debug', 'pause', 'set-vars', 'flush-handlers', 'gather-facts', 'cluster-report', 'fail']);

function isCheck({ module }: RunbookTask): boolean {
  return module.kind === 'check' && !NO_CHECKS.has(module.name);
}

function checksSection(after: readonly RunbookTask[]): string[] {
  const names = after
    .filter((entry) => isCheck(entry) && entry.part === 'tasks')
    .map((entry) => plainText(nameOf(entry)));
  return names.length === 0 ? [] : ['## Checks', '', ...[...new Set(names)].map((name) => `- [ ] ${name}`), ''];
}

/** What the playbook itself says about failures, and the rule for what is left to a person. */
function whenSection(plays: readonly PlayEntry[], after: readonly RunbookTask[]): string[] {
  if (!after.some(changes)) return [];
  const serial = plays.filter(({ play }) => play.serial).map(({ play }) => plainText(play.name));
  const going = plays.filter(({ play }) => play.onFailure === 'continue').map(({ play }) => plainText(play.name));
  const lines = [
    'A check above fails and it is not clear within minutes how to mend it: roll back.',
    ...(serial.length > 0
      ? [
          `A host fails in ${serial.join(', ')}: the batches after it are not started. Mend it and go on with \`reeve resume last\`, or roll back.`,
        ]
      : []),
    ...(going.length > 0
      ? [`A failure in ${going.join(', ')} does not stop what follows: look at it afterwards.`]
      : []),
    'The connection or this machine is lost: nothing is lost. `reeve status last` says where it stands, `reeve resume last` goes on.',
    ...(after.some(({ task }) => task.module === 'install-script')
      ? [
          'Some nodes run the new version and work: fix forward. Going back over a minor version needs the snapshot from before, and loses what was written since.',
        ]
      : []),
  ];
  return ['## When to Roll Back', '', ...lines.map((line) => `- ${line}`), ''];
}

function rollbackSection(after: readonly RunbookTask[]): string[] {
  const changing = after.filter(changes);
  if (changing.length === 0) return [];
  const name = (entry: RunbookTask) => `${plainText(nameOf(entry))} (${code(entry.task.module)})`;
  const undone = [...new Set(changing.filter(({ module }) => module.undo).map(name))].reverse();
  const unable = changing.filter(({ module }) => !module.undo);
  const left = [
    ...new Set(unable.map((entry) => `${name(entry)}${entry.module.noUndo ? `: ${entry.module.noUndo}` : ''}`)),
  ];
  return [
    ...['## Rollback', '', '```sh', 'reeve rollback last --check', 'reeve rollback last', '```', ''],
    ...(undone.length > 0
      ? ['Taken back, in this order, host by host:', '', ...undone.map((one) => `- ${one}`), '']
      : []),
    ...(left.length > 0 ? ['Not taken back by reeve:', '', ...left.map((one) => `- ${one}`), ''] : []),
  ];
}
