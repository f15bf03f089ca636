import type { Playbook } from '../../playbook/model.ts';
import { code, plainText, prose, table } from '../../report/action-log/markdown.ts';
import { shownValue } from '../../report/what-ran.ts';
import { rollbackSection, whenSection } from './back.ts';
import {
  legend,
  type PlayEntry,
  playLines,
  procedures,
  type RunbookOptions,
  stepsOf,
  wordsSection,
  written,
} from './plays.ts';
import { changes, itemsIn, mentionedIn, nameOf, type RunbookTask, sharedFiles, tasksIn } from './steps.ts';

/** A playbook as a runbook for people, in Markdown. Made from the playbook itself, so that the two never differ. */
export function runbook(playbook: Playbook, options: RunbookOptions): string {
  const steps = playbook.plays.flatMap(stepsOf);
  const letters = new Map(sharedFiles(steps).map((file, index) => [file, String.fromCharCode(65 + index)]));
  const plays = playbook.plays.map(
    (play): PlayEntry => ({
      play,
      items: itemsIn(stepsOf(play), letters),
      tasks: tasksIn(stepsOf(play)),
      handlers: tasksIn(play.handlers),
      gate: tasksIn(play.gate),
    }),
  );
  const all = plays.flatMap(({ tasks, gate }) => [...tasks, ...gate]);
  const around = { playbook, options, letters, inputs: options.inputs, isMentioned: mentionedIn(all) };
  const first = all.findIndex(changes);
  const before = first < 0 ? all : all.slice(0, first);
  const after = first < 0 ? [] : all.slice(first);
  const sections = [
    title(playbook, options),
    inputsSection(playbook, options.inputs),
    checklistSection(playbook, before, options),
    [...['## Steps', '', ...legend(letters), ''], ...plays.flatMap((entry, index) => playLines(entry, index, around))],
    ...procedures(plays, around),
    wordsSection(playbook, all),
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

/** Of the modules that change nothing, those that say whether something holds. */
const NO_CHECKS = new Set(['debug', 'pause', 'set-vars', 'flush-handlers', 'gather-facts', 'cluster-report']);

function isCheck({ module, when }: RunbookTask): boolean {
  // To fail under a condition is to check that it does not hold.
  if (module.name === 'fail') return when.length > 0;
  return (module.kind === 'check' || module.name === 'http') && !NO_CHECKS.has(module.name);
}

function checksSection(after: readonly RunbookTask[]): string[] {
  const names = after
    .filter((entry) => isCheck(entry) && entry.part === 'tasks')
    .map((entry) => plainText(nameOf(entry)));
  return names.length === 0 ? [] : ['## Checks', '', ...[...new Set(names)].map((name) => `- [ ] ${name}`), ''];
}
