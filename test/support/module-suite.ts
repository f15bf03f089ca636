/** Runs a table of cases of one module for real, on every shell of this machine, and checks what holds for all. */
import { Ajv, type ValidateFunction } from 'ajv';
import { afterEach, expect, test } from 'vitest';
import type { AnyModule, Plan } from '../../runner/module.ts';
import { type LocalTarget, type LocalTargetOptions, localTarget } from './local-target.ts';
import { anyShell, describeShells } from './shells.ts';
import { isAll } from './size.ts';
import { snapshotTree } from './tree.ts';

export interface ModuleCase {
  title: string;
  /** Arguments as a playbook has them; `ROOT` in a text stands for the test's folder on the target. */
  args: Record<string, unknown>;
  /** Makes the state before, with `fs` calls below the two folders. */
  before?: (root: string, control: string) => void;
  /** Summaries of the planned changes, with `ROOT`; [] for «already as wanted». */
  changes: string[];
  /** Asserts the state after. */
  after?: (root: string, target: LocalTarget) => void;
  /** A part of the facts after. */
  facts?: Record<string, unknown>;
  /** Default: one each. */
  roundTrips?: { plan?: number; apply?: number };
  /** False when there is no undo, or it cannot restore everything. */
  undo?: boolean;
  /** Plan or apply fails with a message like this, and the tree stays as it was. */
  fails?: RegExp;
  warns?: RegExp;
  target?: LocalTargetOptions;
}

const validators = new WeakMap<object, ValidateFunction>();

/** Compiling a schema takes longer than most cases. */
function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const validator = new Ajv({ useDefaults: true, allErrors: true, allowUnionTypes: true }).compile(schema);
  validators.set(schema, validator);
  return validator;
}

/** Fills defaults and validates as the engine does before a plan. */
export function fillArgs(module: AnyModule, given: Record<string, unknown>): Record<string, unknown> {
  const args = structuredClone(given);
  const validate = validatorOf(module.args);
  if (!validate(args)) throw new Error(`arguments: ${JSON.stringify(validate.errors)}`);
  const problem = module.check?.(args);
  if (problem) throw new Error(`arguments: ${problem}`);
  return args;
}

/** Replaces `ROOT` in every text of a value. */
export function withRoot<T>(value: T, root: string): T {
  if (typeof value === 'string') return value.replaceAll('ROOT', root) as T;
  if (Array.isArray(value)) return value.map((item) => withRoot(item, root)) as T;
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withRoot(item, root)])) as T;
  }
  return value;
}

/**
 * @param options.elsewhere How many cases (the first ones) run on shells other than the first, for modules whose work is
 * done on the control machine; default: all.
 */
export function moduleSuite(module: AnyModule, cases: ModuleCase[], options: { elsewhere?: number } = {}): void {
  const targets: LocalTarget[] = [];
  afterEach(() => {
    for (const target of targets.splice(0)) target.dispose();
  });
  describeShells(`${module.name} on %s`, (shell) => {
    const tried = shell === anyShell ? cases : cases.slice(0, options.elsewhere);
    test.each(tried.map((one, index) => ({ ...one, index })))('$title', async ({ index, ...one }) => {
      const target = localTarget({ shell: shell.name, ...one.target });
      targets.push(target);
      one.before?.(target.root, target.control);
      const again = isAll || index % OFTEN === 0;
      await (one.fails ? expectFailure(module, one, target) : expectCase(module, one, { target, again }));
      if (one.warns) expect(target.warnings.join('\n')).toMatch(one.warns);
      else expect(target.warnings).toEqual([]);
    });
  });
}

async function planCase(module: AnyModule, one: ModuleCase, target: LocalTarget): Promise<Plan> {
  return module.plan(fillArgs(module, withRoot(one.args, target.root)) as never, target.read);
}

async function expectFailure(module: AnyModule, one: ModuleCase, target: LocalTarget): Promise<void> {
  const before = snapshotTree(target.root);
  const run = async () => {
    const plan = await planCase(module, one, target);
    if (plan.changes.length > 0) await module.apply!(plan.next, target.write);
  };
  await expect(run()).rejects.toThrow(one.fails);
  expect(snapshotTree(target.root)).toEqual(before);
}

/** `npm test` undoes in one case of so many what was never done, and what was undone already. */
const OFTEN = 4;

async function expectCase(
  module: AnyModule,
  one: ModuleCase,
  { target, again: isUndoneAgain }: { target: LocalTarget; again: boolean },
): Promise<void> {
  const before = snapshotTree(target.root, { times: true });
  const plan = await planCase(module, one, target);
  expect(plan.changes.map((change) => change.summary)).toEqual(withRoot(one.changes, target.root));
  expect(target.roundTrips).toBe(one.roundTrips?.plan ?? 1);
  expect(snapshotTree(target.root, { times: true }), 'a plan changes nothing').toEqual(before);
  for (const change of plan.changes) {
    if (change.summary.endsWith(': content')) expect(change.before).not.toBe(change.after);
  }
  if (plan.changes.length === 0) {
    expectFacts(module, plan.facts, one, target);
    one.after?.(target.root, target);
    return;
  }
  if (module.undo && plan.undo !== undefined && isUndoneAgain) {
    await module.undo(JSON.parse(JSON.stringify(plan.undo)), target.write);
    expect(snapshotTree(target.root), 'undo of what was never done changes nothing').toEqual(
      snapshotWithoutTimes(before),
    );
  }
  target.roundTrips = 0;
  const applied = await module.apply!(plan.next, target.write);
  expect(target.roundTrips).toBe(one.roundTrips?.apply ?? 1);
  expectFacts(module, applied.facts, one, target);
  expect(applied.facts, 'what was predicted came true').toMatchObject(plan.predicted ?? {});
  one.after?.(target.root, target);
  if (module.kind === 'state') {
    const again = await planCase(module, one, target);
    expect(again.changes, 'a second plan is empty').toEqual([]);
    expect(again.facts, 'facts are the same on an unchanged run').toEqual(applied.facts);
  }
  if (module.undo && one.undo !== false) {
    expect(applied.undo).toBeDefined();
    if (plan.undo !== undefined) expect(applied.undo, 'undo needs what was said beforehand').toEqual(plan.undo);
    // The second time is a rollback that was killed before it could say that it was done.
    for (const time of isUndoneAgain ? ['once', 'twice'] : ['once']) {
      await module.undo(JSON.parse(JSON.stringify(applied.undo)), target.write);
      expect(snapshotTree(target.root), `undo restores the tree (${time})`).toEqual(snapshotWithoutTimes(before));
    }
  }
}

function snapshotWithoutTimes(tree: ReturnType<typeof snapshotTree>) {
  return Object.fromEntries(Object.entries(tree).map(([path, { mtime: _, ...entry }]) => [path, entry]));
}

function expectFacts(module: AnyModule, facts: unknown, one: ModuleCase, target: LocalTarget): void {
  const validate = validatorOf(module.returns);
  expect(validate(facts), JSON.stringify(validate.errors)).toBe(true);
  if (one.facts) expect(facts).toMatchObject(withRoot(one.facts, target.root));
}
