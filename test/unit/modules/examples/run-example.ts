/** Plans an example for real, applies it, plans again and takes it back; checks what must hold for every module. */
import { Ajv } from 'ajv';
import { expect, vi } from 'vitest';
import type { AnyModule, Applied, JsonSchema, Plan } from '../../../../runner/module.ts';
import type { ShellName } from '../../../lab/hosts/types.ts';
import { fillArgs } from '../../../support/module-suite.ts';
import { below, type Example, evaluated, renderedArgs } from './example.ts';
import { makeWorld, type World, type WorldKind } from './world.ts';

/** What an example needs to run, and what is not the rule about it. */
export interface Needs {
  /** Default: files below a temporary root; for modules of the cluster the lab's API. */
  on?: WorldKind;
  /**
   * Makes what the example takes for granted. Gives the arguments to put in the place of those that make no sense here:
   * addresses out in the world, owners.
   */
  given?: (world: World) => Args | undefined | Promise<Args | undefined>;
  /** The plan finds nothing to do, though the module could do something; says why. */
  idle?: string;
  /** The plan refuses, with a message like this. */
  fails?: RegExp;
  /** Of an action: its guard holds after it was done once, so that the second plan is empty. */
  guarded?: boolean;
  /** Facts about this one run rather than about a state, which an unchanged run has otherwise. */
  passing?: string[];
  /** What undo leaves undone, so that there is less to do afterwards than before. */
  undoLeaves?: string;
  /** Why undo does not bring back what was there before. */
  noUndo?: string;
}

type Args = Record<string, unknown>;

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictTypes: false });

export async function runExample(module: AnyModule, example: Example, needs: Needs, shell: ShellName): Promise<void> {
  const kind = needs.on ?? (module.on === 'cluster' ? 'cluster' : 'files');
  await using world = await makeWorld(kind, shell);
  const given = await needs.given?.(world);
  const args = argsIn(world, module, { ...renderedArgs(module, example.yaml), ...given });
  if (module.waits) expect(module.waits.what(args as never) ?? 'only looks').not.toBe('');
  if (needs.fails) {
    await expect(planQuietly(world, module, args)).rejects.toThrow(needs.fails);
    return;
  }
  const plan = await planQuietly(world, module, args);
  expectPlan(module, plan, needs);
  if (plan.changes.length === 0) return;
  const before = world.state();
  if (plan.undo !== undefined && needs.noUndo === undefined) await expectUntouched(world, module, plan.undo, before);
  const applied = await module.apply!(plan.next, world.target);
  expectFacts(module, applied.facts ?? {});
  expect({ ...plan.facts, ...applied.facts }, 'what was predicted came true').toMatchObject(plan.predicted ?? {});
  const isAction = module.kind === 'action' || module.isAction?.(args as never) === true;
  await expectSecondPlan(world, module, args, { applied, isAction, needs });
  if (module.undo && needs.noUndo === undefined) {
    if (plan.undo !== undefined) expect(applied.undo, 'undo needs what was said beforehand').toEqual(plan.undo);
    await expectUndo(world, module, { applied, before });
    if (needs.undoLeaves !== undefined) return;
    const anew = await planQuietly(world, module, args);
    expect(anew.changes, 'after undo there is as much to do as before').toEqual(plan.changes);
  }
}

function argsIn(world: World, module: AnyModule, rendered: Args): Args {
  // Defaults are paths too, so they are moved as well.
  const filled = fillArgs(module, rendered);
  return evaluated(module, module.on === 'cluster' || module.on === 'control' ? filled : below(filled, world.root));
}

/** Plans with a target that cannot write, and sees that nothing was written around it. */
async function planQuietly(world: World, module: AnyModule, args: Args): Promise<Plan> {
  const before = world.state({ exactly: true });
  try {
    return await module.plan(structuredClone(args) as never, world.reader);
  } finally {
    expect(world.state({ exactly: true }), 'a plan changes nothing').toEqual(before);
  }
}

function expectPlan(module: AnyModule, plan: Plan, needs: Needs): void {
  expect(plan.unknown, 'nothing is pending, so everything can be told').toBeUndefined();
  for (const change of plan.changes) expect(change.summary).toMatch(/^\S.*\S$/);
  if (plan.facts) expectFacts(module, plan.facts);
  if (plan.predicted) expectFacts(module, plan.predicted);
  const isIdle = module.kind === 'check' || needs.idle !== undefined;
  if (isIdle) expect(plan.changes).toEqual([]);
  else expect(plan.changes, 'the example does something here; `idle` would say why not').not.toEqual([]);
}

interface Second {
  applied: Applied;
  isAction: boolean;
  needs: Needs;
}

async function expectSecondPlan(
  world: World,
  module: AnyModule,
  args: Args,
  { applied, isAction, needs }: Second,
): Promise<void> {
  const again = await planQuietly(world, module, args);
  if (isAction && !needs.guarded) {
    expect(again.changes, 'an action without a guard is done each time').not.toEqual([]);
    return;
  }
  expect(again.changes, 'a second plan is empty').toEqual([]);
  expectFacts(module, again.facts ?? {});
  if (isAction) return;
  const [now, then] = [{ ...again.facts }, { ...applied.facts }];
  expect(Object.keys(now).sort(), 'an unchanged run has the same facts').toEqual(Object.keys(then).sort());
  for (const name of needs.passing ?? []) delete now[name];
  expect(then).toMatchObject(now);
}

/** A run that died before its first write is taken back too: there is nothing to do. */
async function expectUntouched(world: World, module: AnyModule, undo: unknown, before: unknown): Promise<void> {
  await module.undo!(JSON.parse(JSON.stringify(undo)), world.target);
  expect(world.state(), 'undo of what was never done changes nothing').toEqual(before);
}

async function expectUndo(
  world: World,
  module: AnyModule,
  { applied, before }: { applied: Applied; before: unknown },
): Promise<void> {
  expect(applied.undo, 'what can be taken back says how').toBeDefined();
  const isBack = () => expect(world.state(), 'undo brings everything back').toEqual(before);
  // The second time is a rollback that was killed before it could say that it was done.
  for (const _ of ['once', 'twice']) {
    // The journal keeps it as JSON.
    await module.undo!(JSON.parse(JSON.stringify(applied.undo)), world.target);
    // A cluster's controllers take a moment; expect.poll is for tests that run alone.
    await vi.waitFor(isBack, { timeout: 20_000 });
  }
}

/** Facts, or some of them, are as `returns` says. */
function expectFacts(module: AnyModule, facts: Args): void {
  const { required: _, ...schema } = module.returns as JsonSchema;
  const validate = ajv.compile({ ...schema, additionalProperties: schema.additionalProperties ?? false });
  expect(
    validate(JSON.parse(JSON.stringify(facts))),
    `${module.name} gives ${JSON.stringify(facts)}: ${ajv.errorsText(validate.errors)}`,
  ).toBe(true);
}
