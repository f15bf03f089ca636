import { stringify } from 'yaml';
import { modules } from '../../../modules/index.ts';
import { allOf } from '../../language/expression.ts';
import { layeredScope } from '../../language/scope.ts';
import { Raw } from '../../load/document.ts';
import type { AnyModule } from '../../module.ts';
import type { Block, Step, Task } from '../../playbook/model.ts';
import { describeTask } from '../../playbook/task-name.ts';
import { code, plainText, prose } from '../../report/action-log/markdown.ts';
import { shownValue } from '../../report/what-ran.ts';
import { byHand } from './by-hand.ts';

/** One task of a playbook with what stands around it. */
export interface RunbookTask {
  task: Task;
  module: AnyModule;
  /** Conditions of the blocks around it, the outermost first. */
  when: string[];
  part: 'tasks' | 'rescue' | 'always';
  runOnce: boolean;
}

/** The tasks of a file that is included, as one thing to do. */
export interface Procedure {
  file: string;
  tasks: RunbookTask[];
  /** What is set for it at this place: `drain_it: true`. */
  with: string[];
  when: string[];
}

/** Tasks and procedures in the order they are written; only the files of `shared` are procedures. */
export function itemsIn(steps: readonly Step[], shared: ReadonlyMap<string, unknown>): (RunbookTask | Procedure)[] {
  return steps.flatMap((step): (RunbookTask | Procedure)[] => {
    if (step.kind === 'task' || step.include === undefined || !shared.has(step.include)) return tasksIn([step]);
    const values = Object.entries(step.vars).map(
      ([name, { value }]) => `${name}: ${typeof value === 'string' ? value : shownValue(value)}`,
    );
    const when = step.when.map(({ text }) => text);
    return [
      { file: step.include, tasks: tasksIn([...step.steps, ...step.rescue, ...step.always]), with: values, when },
    ];
  });
}

/** Every file that is included more than once, in the order of the first time. */
export function sharedFiles(steps: readonly Step[]): string[] {
  const all = steps.flatMap((step) => (step.kind === 'block' && step.include !== undefined ? [step.include] : []));
  return [...new Set(all)].filter((file) => all.filter((one) => one === file).length > 1);
}

/** All tasks of some steps in the order they are written. */
export function tasksIn(
  steps: readonly Step[],
  when: readonly string[] = [],
  part: RunbookTask['part'] = 'tasks',
  runOnce = false,
): RunbookTask[] {
  return steps.flatMap((step) => {
    const own = [...when, ...step.when.map(({ text }) => text)];
    const once = step.runOnce ?? runOnce;
    if (step.kind === 'task')
      return [{ task: step, module: modules.get(step.module)!, when: own, part, runOnce: once }];
    return [
      ...tasksIn(step.steps, own, part, once),
      ...tasksIn(step.rescue, own, 'rescue', once),
      ...tasksIn(step.always, own, part === 'rescue' ? 'rescue' : 'always', once),
    ];
  });
}

export function nameOf({ task, module }: Pick<RunbookTask, 'task' | 'module'>): string {
  if (!task.name.isStatic) return task.module;
  const name = String(task.name.render(layeredScope([])));
  return name === task.module ? describeTask(task, module) : name;
}

/** Whether a task can change anything. */
export function changes({ task, module }: Pick<RunbookTask, 'task' | 'module'>): boolean {
  const args = task.argsAt.value as { reads?: unknown; method?: unknown } | undefined;
  if (module.kind === 'check' || task.checkMode === true) return false;
  // A request that only asks (RFC 9110, 9.2.1) changes nothing.
  if (module.name === 'http' && /^(undefined|GET|HEAD)$/.test(String(args?.method))) return false;
  return module.on === 'cluster' || args?.reads !== true;
}

/** Modules that do nothing for a person: they print and set values. */
const SILENT = new Set(['debug', 'set-vars', 'flush-handlers', 'gather-facts']);

/** Whether a person has something to do or to look at. */
export function isForPeople({ task }: Pick<RunbookTask, 'task'>): boolean {
  return !SILENT.has(task.module);
}

type Mentioned = (register: string) => boolean;

export interface StepOptions {
  inputs: Record<string, unknown>;
  /** Whether a condition or a command names what a task registers. */
  isMentioned: Mentioned;
}

/** What the steps for people name of what tasks register. */
export function mentionedIn(tasks: readonly RunbookTask[]): Mentioned {
  const texts = tasks.filter(isForPeople).flatMap(({ task, when }) => [...when, JSON.stringify(task.argsAt.value)]);
  const text = texts.join('\n');
  return (register) => new RegExp(`(?<![\\w.])${register}\\.`).test(text);
}

/** One step for a person: what it is, the commands or what must hold, when, and what happens around it. */
export function stepLines(entry: RunbookTask, number: string, { inputs, isMentioned }: StepOptions): string[] {
  const { part } = entry;
  const before = { tasks: '', rescue: 'If something failed: ', always: 'Also after a failure: ' }[part];
  const doing = doingOf(entry, inputs);
  const facts = factsOf(entry, isMentioned);
  return [
    `${number} [ ] ${before}**${plainText(nameOf(entry))}**${doing.where}`,
    '',
    ...indented(doing.lines, number),
    ...(facts.length > 0
      ? [
          ...(doing.lines.at(-1)?.startsWith('```') ? [''] : []),
          ...indented(
            facts.map((fact) => `- ${fact}`),
            number,
          ),
        ]
      : []),
    ...(doing.lines.length + facts.length > 0 ? [''] : []),
  ];
}

/** Without what is said of check mode: a person has none. */
export function conditionsOf(when: readonly string[]): string[] {
  return when.map((one) => one.replace(/^!run\.check( && |$)/, '')).filter((one) => one !== '');
}

function factsOf({ task, when, runOnce }: RunbookTask, isMentioned: Mentioned): string[] {
  return [
    ...conditionsOf(when).map((condition) => `only when ${code(condition)}`),
    ...(task.checkMode === true ? ['only looks: nothing is changed here'] : []),
    ...(runOnce ? ['once, not for every host'] : []),
    ...(task.loop ? [`for each of ${code(textOf(task.loop))}`] : []),
    ...(task.until ? [`again until ${code(allOf(task.until))}`] : []),
    ...(task.until === undefined && task.retries ? ['try it again for a while when it fails'] : []),
    ...(task.ignoreErrors ? ['go on if it fails'] : []),
    ...(task.delegateTo ? ['on another host'] : []),
    ...(task.register && isMentioned(task.register)
      ? [`what it says is called ${code(task.register)} from here on`]
      : []),
    ...(task.notify.length > 0 ? [`then: ${task.notify.map((one) => textOf(one)).join(', ')}`] : []),
  ];
}

/** What a person does: commands where there are some, conditions that must hold, else the task as it is written. */
function doingOf({ task, module }: RunbookTask, inputs: Record<string, unknown>): { where: string; lines: string[] } {
  const args = filled(task.argsAt.value, inputs);
  if (module.name === 'assert' || module.name === 'fail') return mustHold(module.name, args);
  if (task.checkMode === true && module.kind !== 'check' && module.name !== 'drain') {
    return { where: `: ${prose(module.description)}`, lines: [] };
  }
  const hand = byHand(module.name, bracketed(args), module.shorthand);
  if (!hand) return { where: `: ${prose(module.description)}`, lines: ['```yaml', ...yamlOf(task, args), '```'] };
  const lines = task.checkMode === true ? hand.lines.map((line) => `${line} --dry-run=server`) : hand.lines;
  return { where: hand.on === 'HOST' ? ', on HOST' : '', lines: ['```sh', ...lines, '```'] };
}

/** A condition, and what it means when it does not hold. */
function mustHold(module: string, args: unknown): { where: string; lines: string[] } {
  const { that, fail_msg: why, msg } = (typeof args === 'object' && args !== null ? args : { msg: args }) as Args;
  const said = [why ?? msg]
    .filter((text) => typeof text === 'string')
    .map((text) => prose(String(bracketed(text)).replaceAll(/<([^>]*)>/g, '$1')));
  const conditions = [that ?? []].flat().map((one) => `- must hold: ${code(String(one).replaceAll(/\s+/g, ' '))}`);
  const stop = module === 'fail' ? '- stop here' : '- if not, stop';
  return { where: '', lines: [...conditions, ...(said.length > 0 ? [`${stop}: ${said[0]}`] : [stop])] };
}

type Args = Record<string, unknown>;

/** What is known only when it runs, as `<k3s.target>`; blocks of templates as `<…>`. */
function bracketed(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .replaceAll(/\{\{#(\w+)[\s\S]*?\{\{\/\1\}\}/g, '<…>')
      .replaceAll(/\{\{\s*([\w.]+)\s*\}\}/g, '<$1>')
      .replaceAll(/\{\{[\s\S]*?\}\}/g, '<…>');
  }
  if (Array.isArray(value)) return value.map(bracketed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bracketed(item)]));
}

/** Below a list item: as far in as its text. */
function indented(lines: readonly string[], number: string): string[] {
  return lines.map((line) => ' '.repeat(number.length + 1) + line);
}

/** The task as it is written, inputs filled in as far as they are known. */
function yamlOf(task: Task, value: unknown): string[] {
  const isEmpty = value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);
  return stringify({ [task.module]: isEmpty ? null : value }, { lineWidth: 110, nullStr: '' })
    .trimEnd()
    .split('\n');
}

function filled(value: unknown, inputs: Record<string, unknown>): unknown {
  if (value instanceof Raw) return value.text;
  if (typeof value === 'string') return filledText(value, inputs);
  if (Array.isArray(value)) return value.map((item) => filled(item, inputs));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, inputs)]));
}

/** What stands only when an input is given, and whole `{{ inputs.x }}`: a person reads the other templates as well as reeve does. */
function filledText(text: string, inputs: Record<string, unknown>): unknown {
  const chosen = text.replaceAll(
    /\{\{#if inputs\.(\w+)\}\}([\s\S]*?)\{\{else\}\}([\s\S]*?)\{\{\/if\}\}/g,
    (_, name: string, given: string, otherwise: string) => (known(inputs[name]) ? given : otherwise),
  );
  if (chosen !== text) return filledText(chosen.trim(), inputs);
  const only = /^\{\{\s*inputs\.(\w+)\s*\}\}$/.exec(text);
  if (only && known(inputs[only[1]!])) return inputs[only[1]!];
  return text.replaceAll(/\{\{\s*inputs\.(\w+)\s*\}\}/g, (whole, name: string) => {
    const value = inputs[name];
    return known(value) && typeof value !== 'object' ? String(value) : whole;
  });
}

function known(value: unknown): boolean {
  return value !== undefined && value !== '';
}

/** A loop, a handler's name: as it is written. */
function textOf(compiled: NonNullable<Block['loop']> | Task['notify'][number]): string {
  if ('text' in compiled && typeof compiled.text === 'string') return compiled.text;
  if ('isStatic' in compiled && compiled.isStatic) {
    const value = compiled.render(layeredScope([]));
    return typeof value === 'string' ? value : JSON.stringify(value);
  }
  return 'a list that depends on the host';
}
