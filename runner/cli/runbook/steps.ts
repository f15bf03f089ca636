import { stringify } from 'yaml';
import { modules } from '../../../modules/index.ts';
import { layeredScope } from '../../language/scope.ts';
import { Raw } from '../../load/document.ts';
import type { AnyModule } from '../../module.ts';
import type { Block, Step, Task } from '../../playbook/model.ts';
import { describeTask } from '../../playbook/task-name.ts';
import { code, plainText, prose } from '../../report/action-log/markdown.ts';

/** One task of a playbook with what stands around it. */
export interface RunbookTask {
  task: Task;
  module: AnyModule;
  /** Conditions of the blocks around it, the outermost first. */
  when: string[];
  part: 'tasks' | 'rescue' | 'always';
  runOnce: boolean;
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

/** Whether a task of this module can change anything. */
export function changes({ task, module }: RunbookTask): boolean {
  const args = task.argsAt.value as { reads?: unknown } | undefined;
  return module.kind !== 'check' && !(module.on !== 'cluster' && args?.reads === true);
}

/** One step for a person: what it is, what it does, when, and what happens around it. */
export function stepLines(entry: RunbookTask, number: string, inputs: Record<string, unknown>): string[] {
  const { task, module, when, part, runOnce } = entry;
  const before = { tasks: '', rescue: 'If something failed: ', always: 'In any case: ' }[part];
  const facts = [
    ...when.map((condition) => `only when ${code(condition)}`),
    ...(runOnce ? ['once, not on every host'] : []),
    ...(task.loop ? [`for each of ${code(textOf(task.loop))}`] : []),
    ...(task.until ? [`again until ${code(task.until.map(({ text }) => text).join(' && '))}`] : []),
    ...(task.until === undefined && task.retries ? ['tried again when it fails'] : []),
    ...(task.ignoreErrors ? ['a failure is ignored'] : []),
    ...(task.delegateTo ? ['on another host'] : []),
    ...(task.notify.length > 0 ? [`then: ${task.notify.map((one) => textOf(one)).join(', ')}`] : []),
  ];
  return [
    `${number} ${before}**${plainText(nameOf(entry))}**: ${prose(module.description)}`,
    '',
    ...indented(['```yaml', ...yamlOf(task, inputs), '```'], number),
    ...(facts.length > 0
      ? [
          '',
          ...indented(
            facts.map((fact) => `- ${fact}`),
            number,
          ),
        ]
      : []),
    '',
  ];
}

/** Below a list item: as far in as its text. */
function indented(lines: readonly string[], number: string): string[] {
  return lines.map((line) => ' '.repeat(number.length + 1) + line);
}

/** The task as it is written, inputs filled in as far as they are known. */
function yamlOf(task: Task, inputs: Record<string, unknown>): string[] {
  const value = filled(task.argsAt.value, inputs);
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

/** Only whole `{{ inputs.x }}`: a person reads the other templates as well as reeve does. */
function filledText(text: string, inputs: Record<string, unknown>): unknown {
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
