import { didYouMean } from '../language/nearest.ts';
import { describeValue } from '../validate/schema/describe.ts';
import { compileArgs } from './args.ts';
import { checkReserved } from './compile.ts';
import { type IncludeLink, inside, type ParseContext, placeOf, remember, type Spot } from './context.ts';
import { Entries, isMapping, readEntries, reportUnknown } from './entries.ts';
import { foreignKeyword, moduleHint } from './foreign.ts';
import { openInclude } from './include.ts';
import { parseStepBase, withoutUndefined } from './inherited.ts';
import { KEYWORDS, keywordsOf, type Level } from './keywords.ts';
import type { Block, Step, Task } from './model.ts';

/** Where a list of steps stands: its id so far, and the includes that led to its file. */
export interface StepsAt {
  spot: Spot;
  id: string;
  chain: readonly IncludeLink[];
}

/** Parses a list of tasks, blocks and includes; items with mistakes are reported and left out. */
export function parseSteps(context: ParseContext, items: readonly unknown[], at: StepsAt): Step[] {
  return items.flatMap((item, index) => parseStep(context, item, itemAt(at, index)) ?? []);
}

/** Parses a list of handlers: tasks with names. A handler that is an include stands for the handlers of that file. */
export function parseHandlers(context: ParseContext, items: readonly unknown[], at: StepsAt): Task[] {
  return items.flatMap((item, index) => {
    const here = itemAt(at, index);
    if (isMapping(item) && 'include' in item) return parseIncludedHandlers(context, item, here);
    if (isMapping(item) && 'block' in item) {
      context.error('handler-block', 'a handler is a single task; a block cannot be one', placeOf(here.spot));
      return [];
    }
    const task = parseTask(context, item, here, 'handler');
    if (task && isMapping(item)) checkHandlerName(context, item, task, here.spot);
    return task ?? [];
  });
}

/** Handlers are looked up by name before any template could be rendered. */
function checkHandlerName(context: ParseContext, item: Record<string, unknown>, task: Task, spot: Spot): void {
  if (!('name' in item)) {
    context.error('missing-keyword', 'a handler needs a `name`: it is notified by it', placeOf(spot));
  } else if (!task.name.isStatic) {
    context.error(
      'handler-name-template',
      'the name of a handler is fixed; it takes no template',
      placeOf(inside(spot, 'name')),
    );
  }
}

function itemAt(at: StepsAt, index: number): StepsAt {
  return { spot: inside(at.spot, index), id: `${at.id}[${index}]`, chain: at.chain };
}

function parseStep(context: ParseContext, value: unknown, at: StepsAt): Step | undefined {
  context.steps++;
  if (!isMapping(value)) return parseTask(context, value, at, 'task');
  if ('include' in value) return parseInclude(context, value, at);
  if ('block' in value || 'rescue' in value || 'always' in value) return parseBlock(context, value, at);
  return parseTask(context, value, at, 'task');
}

function parseBlock(context: ParseContext, value: Record<string, unknown>, at: StepsAt): Block | undefined {
  if (!rejectModules(context, value, at.spot, 'block')) return undefined;
  const entries = readEntries(context, value, at.spot, 'block');
  if (!entries) return undefined;
  if (!('block' in value)) {
    context.error('missing-keyword', '`rescue` and `always` need a `block`', placeOf(at.spot));
  }
  const list = (name: string) =>
    parseSteps(context, entries.list(name), { spot: entries.at(name), id: `${at.id}.${name}`, chain: at.chain });
  const block: Block = {
    ...parseStepBase(context, entries, at.id, 'block'),
    kind: 'block',
    steps: list('block'),
    rescue: list('rescue'),
    always: list('always'),
  };
  return remember(block, at.spot);
}

function parseInclude(context: ParseContext, value: Record<string, unknown>, at: StepsAt): Block | undefined {
  if (!rejectModules(context, value, at.spot, 'include')) return undefined;
  const entries = readEntries(context, value, at.spot, 'include');
  const file = entries?.literal<string>('include');
  if (!entries || file === undefined) return undefined;
  const base = parseStepBase(context, entries, at.id, file);
  const opened = openInclude(context, file, entries.at('include'), at.chain);
  const steps = opened
    ? parseSteps(context, opened.items, { spot: opened.spot, id: `${at.id}.include`, chain: opened.chain })
    : [];
  const block: Block = {
    ...base,
    kind: 'block',
    steps,
    rescue: [],
    always: [],
    include: opened?.spot.document.file ?? file,
  };
  return remember(block, at.spot);
}

function parseIncludedHandlers(context: ParseContext, value: Record<string, unknown>, at: StepsAt): Task[] {
  for (const name of Object.keys(value)) {
    if (name === 'include' || name === 'name') continue;
    context.error(
      'misplaced-keyword',
      `\`${name}\` cannot stand at an include of handlers`,
      placeOf(inside(at.spot, name), 'key'),
    );
  }
  const entries = new Entries(context, at.spot, 'include', { include: value.include });
  const file = entries.literal<string>('include');
  const opened = file === undefined ? undefined : openInclude(context, file, entries.at('include'), at.chain);
  if (!opened) return [];
  return parseHandlers(context, opened.items, { spot: opened.spot, id: `${at.id}.include`, chain: opened.chain });
}

function parseTask(context: ParseContext, value: unknown, at: StepsAt, level: 'task' | 'handler'): Task | undefined {
  if (!isMapping(value)) {
    const hint = typeof value === 'string' && context.registry.has(value) ? { hint: `\`${value}:\` with a colon` } : {};
    context.error('wrong-type', `a ${level} must be a mapping, not ${describeValue(value)}`, placeOf(at.spot), hint);
    return undefined;
  }
  const name = findModule(context, value, at.spot, level);
  const entries = new Entries(context, at.spot, level, value);
  const base = parseStepBase(context, entries, at.id, name ?? level);
  const rest = {
    register: entries.literal<string>('register'),
    changedWhen: entries.conditionOrFlag('changed_when'),
    failedWhen: entries.conditionOrFlag('failed_when'),
  };
  checkReserved(context, rest.register, placeOf(entries.at('register')));
  if (name === undefined) return undefined;
  checkVariablesSet(context, name, value[name], inside(at.spot, name));
  const argsSpot = inside(at.spot, name);
  const task = withoutUndefined({
    ...base,
    ...rest,
    kind: 'task',
    module: name,
    args: compileArgs(context, name, value[name], argsSpot),
    argsAt: { value: value[name], ...argsSpot },
    listen: entries.strings('listen'),
  }) as Task;
  return remember(task, at.spot);
}

/** The names that a module like set-vars would define. */
function checkVariablesSet(context: ParseContext, module: string, args: unknown, spot: Spot): void {
  if (!context.registry.get(module)?.setsVariables || !isMapping(args)) return;
  for (const name of Object.keys(args)) checkReserved(context, name, placeOf(inside(spot, name), 'key'));
}

/** Finds the one module of a task, and reports every other key that is no keyword. */
function findModule(
  context: ParseContext,
  value: Record<string, unknown>,
  spot: Spot,
  level: 'task' | 'handler',
): string | undefined {
  const others = Object.keys(value).filter((name) => !keywordsOf(level).has(name));
  const modules = others.filter((name) => context.registry.has(name));
  const unknown = others.filter((name) => !context.registry.has(name));
  let reported = false;
  for (const name of unknown) {
    reportUnknownWord(context, name, inside(spot, name), level, modules.length > 0);
    reported = true;
  }
  if (modules.length > 1) reportSeveral(context, modules, spot);
  if (modules.length === 0 && !reported) {
    context.error('no-module', `this ${level} names no module`, placeOf(spot), {
      hint: 'a task has one module and its arguments: `service: { name: k3s }`',
    });
  }
  return modules[0];
}

function reportSeveral(context: ParseContext, modules: string[], spot: Spot): void {
  const [first, second] = modules as [string, string];
  context.error(
    'several-modules',
    `a task has one module; this one has ${modules.map((name) => `\`${name}\``).join(' and ')}`,
    placeOf(inside(spot, second), 'key'),
    {
      hint: 'make it a task of its own',
      related: [{ message: `\`${first}\` is here`, place: placeOf(inside(spot, first), 'key') }],
    },
  );
}

/** A word in a task that is neither keyword nor module: it may be meant as either. */
function reportUnknownWord(context: ParseContext, name: string, spot: Spot, level: Level, hasModule: boolean): void {
  const keywords = [...keywordsOf(level).keys()];
  const isElsewhere = KEYWORDS.some((keyword) => keyword.name === name);
  if (foreignKeyword(name) || isElsewhere || hasModule || !looksLikeModule(name, keywords)) {
    reportUnknown(context, name, spot, level);
    return;
  }
  context.error('unknown-module', `there is no module \`${name}\``, placeOf(spot, 'key'), {
    hint: moduleHint(name, context.registry),
  });
}

function looksLikeModule(name: string, keywords: string[]): boolean {
  return didYouMean(name, keywords) === undefined || name.includes('.');
}

function rejectModules(context: ParseContext, value: Record<string, unknown>, spot: Spot, kind: string): boolean {
  const module = Object.keys(value).find((name) => context.registry.has(name) && !keywordsOf('task').has(name));
  if (module === undefined) return true;
  context.error(
    'several-modules',
    `\`${kind}\` and the module \`${module}\` cannot stand in one step`,
    placeOf(inside(spot, module), 'key'),
    {
      hint: 'make it a task of its own',
    },
  );
  return false;
}
