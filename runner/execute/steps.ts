import { EXIT, ReeveError } from '../errors.ts';
import type { HostRecap, TaskStatus } from '../events.ts';
import { allOf } from '../language/expression.ts';
import { isUnknown } from '../language/unknown.ts';
import type { Block, Step, Task } from '../playbook/model.ts';
import { allTrue, scopeFor } from './conditions.ts';
import { inherit, type OnceResult, type StepContext, selectedByTags } from './context.ts';
import { flushHandlers } from './flush-handlers.ts';
import type { HostState } from './host-state.ts';
import { registerSkipped, registerUnknown } from './left-out.ts';
import { evaluateItems } from './loop.ts';
import { noteLost } from './lost-hosts.ts';
import { sleepUntilStopped } from './sleep.ts';
import { errorForEvent, runTask } from './task.ts';
import { asReeveError } from './task-run.ts';
import { waitsForPending, wouldTryAgain } from './tries.ts';
import { isRetried, trySettings } from './try-settings.ts';

/** Hosts that may go on. */
export const alive = (hosts: readonly HostState[]): HostState[] => hosts.filter((host) => !host.failed);

/**
 * Runs steps on hosts in lock-step: a step starts when the one before it has ended on every host. A host that fails
 * drops out. Stops early on Ctrl-C and when failures must stop the whole batch.
 */
export async function runSteps(
  context: StepContext,
  steps: readonly Step[],
  hosts: readonly HostState[],
): Promise<void> {
  const { run, playState, cleaning } = context;
  for (const step of steps) {
    const active = alive(hosts);
    if (active.length === 0 || run.interrupt.requested || (playState.aborted && !cleaning)) return;
    if (step.kind === 'block') await runBlock(context, step, active);
    else if (isSelected(context, step)) {
      await runTaskOnHosts(context, step, active);
      if (run.modules.get(step.module)?.flushesHandlers) await flushHandlers(context, alive(active), runTaskOnHosts);
    }
    noteLost(context, hosts);
  }
}

/** `--tags` choose among what is to be done; a rollback takes back whatever was. */
function isSelected({ run: { settings }, inherited, section }: StepContext, task: Task): boolean {
  if (section === 'rollback') return selectedByTags(task.tags, [], []);
  return selectedByTags([...inherited.tags, ...task.tags], settings.tags, settings.skipTags);
}

/** One task on several hosts at once. Hosts in `possible` are handlers that only a possible change has notified. */
export async function runTaskOnHosts(
  context: StepContext,
  task: Task,
  hosts: readonly HostState[],
  possible: ReadonlySet<HostState> = new Set(),
): Promise<void> {
  if (inherit(context.inherited, task).runOnce) return runOnce(context, task, hosts);
  await Promise.all(
    hosts.map(async (host) => {
      const outcome = await runTask(context, task, host, possible.has(host));
      if (outcome.register) host.data[outcome.register.name] = outcome.register.value;
    }),
  );
  context.sources.forget();
}

/** On the first host whose condition is true, once a play; what it registers and whether it failed is every host's. */
async function runOnce(context: StepContext, task: Task, hosts: readonly HostState[]): Promise<void> {
  const { once } = context.playState;
  const key = task.id + context.suffix;
  let result = await once.get(key);
  // With strategy free each host comes alone: one that was not willing leaves it to the next.
  while (!result || result.skipped) {
    const mine = once.get(key) ?? firstWilling(context, task, hosts);
    const isMine = !once.has(key);
    once.set(key, mine);
    result = await mine;
    if (result.skipped && once.get(key) === mine) once.delete(key);
    if (isMine) break;
  }
  if (result.failed) tellAll(context, task, hosts);
  for (const host of hosts) {
    if (result.register) host.data[result.register.name] = result.register.value;
    Object.assign(host.data, result.variables);
    if (result.failed) host.failed ??= result.failed;
  }
}

/** Hosts that drop out without a line of their own must not do so in silence. */
function tellAll({ run }: StepContext, task: Task, hosts: readonly HostState[]): void {
  const others = hosts.filter((host) => !host.failed).map((host) => host.name);
  if (others.length === 0) return;
  const name = task.name.isStatic ? String(task.name.render(run.emptyScope)) : task.module;
  const message = `"${name}" runs once for all: its failure is that of ${others.join(', ')} too`;
  run.emitter.emit({ type: 'notice', level: 'warning', message });
}

async function firstWilling(context: StepContext, task: Task, hosts: readonly HostState[]): Promise<OnceResult> {
  let last: OnceResult = { failed: undefined, skipped: true };
  for (const host of turns(context, task, hosts)) {
    const outcome = await runTask(context, task, host);
    const { status, ignored, register, variables } = outcome;
    const failed = (status === 'failed' || status === 'unreachable') && !ignored ? status : undefined;
    const skipped = status === 'skipped';
    last = { failed, skipped, ...(register ? { register } : {}), ...(variables ? { variables } : {}) };
    if (!skipped) return last;
  }
  return last;
}

/** When a run goes on the host comes first that had its turn: once is once, whichever hosts take part by now. */
function turns({ run, suffix }: StepContext, task: Task, hosts: readonly HostState[]): HostState[] {
  const willing = new Set(hosts.map(({ name }) => name));
  const name = run.replay?.onceOn(task.id + suffix, run.hosts.keys(), willing);
  const first = name === undefined ? undefined : run.hosts.get(name);
  return first ? [first, ...hosts.filter((host) => host !== first)] : [...hosts];
}

/** A block: its condition, then its rounds (loop), each with its tries. */
async function runBlock(context: StepContext, block: Block, hosts: HostState[]): Promise<void> {
  const inside: StepContext = {
    ...context,
    vars: [block.vars, ...context.vars],
    inherited: inherit(context.inherited, block),
  };
  const willing: HostState[] = [];
  await Promise.all(
    hosts.map(async (host) => {
      if (await isWilling(context, block, host)) willing.push(host);
    }),
  );
  willing.sort((a, b) => hosts.indexOf(a) - hosts.indexOf(b));
  if (!block.loop && !isRetried(block)) return runRound(inside, block, willing);
  await Promise.all(
    willing.map(async (host) => {
      try {
        await runRounds(inside, block, host);
      } catch (error) {
        failBlock(context, block, host, asReeveError(error, { context, settings: inside.inherited }));
      }
    }),
  );
}

async function isWilling(context: StepContext, block: Block, host: HostState): Promise<boolean> {
  if (block.when.length === 0) return true;
  const before = context.run.replay?.hasEntered(host.name, block.id + context.suffix);
  const conditions = allOf(block.when);
  const notWanted = `not wanted: ${conditions}`;
  if (before === false) {
    host.count('skipped', false);
    registerSkipped(block, host, notWanted);
  }
  if (before !== undefined) return before;
  try {
    const wanted = await allTrue(context.run, block.when, scopeFor(context, block, host));
    if (wanted === true) return true;
    const status = isUnknown(wanted) ? 'unknown' : 'skipped';
    reportBlock(context, block, host, status, isUnknown(wanted) ? wanted.because : notWanted);
  } catch (error) {
    failBlock(context, block, host, asReeveError(error, { context, settings: context.inherited }));
  }
  return false;
}

/** A block has no events of its own, except when it is not entered: then this line stands for all its tasks. */
function reportBlock(
  context: StepContext,
  block: Block,
  host: HostState,
  status: TaskStatus,
  message: string,
  error?: ReeveError,
): void {
  host.count(status, false);
  if (status === 'skipped') registerSkipped(block, host, message);
  if (status === 'unknown') {
    context.run.pending.any = true;
    registerUnknown(context.run, block, host, message);
  }
  const name = block.name.isStatic ? String(block.name.render(context.run.emptyScope)) : 'block';
  context.run.emitter.emit({
    type: 'task-ended',
    play: context.playState.index,
    batch: context.batch,
    host: host.name,
    task: { id: block.id + context.suffix, name, module: 'block', section: context.section, place: block.place },
    status,
    duration: 0,
    message,
    changes: [],
    ...(error ? { error: errorForEvent(error, block) } : {}),
  });
}

/** The block itself fails on a host: its condition, its loop or its tries. */
function failBlock(context: StepContext, block: Block, host: HostState, why: string | ReeveError): void {
  const error = typeof why === 'string' ? new ReeveError('block-failed', why) : why;
  reportBlock(context, block, host, 'failed', error.message, error);
  host.failed = error.exitCode === EXIT.unreachable ? 'unreachable' : 'failed';
  if (error.code === 'unexpected') context.run.unexpected ??= error;
}

/** A looped or retried block goes its own pace on each host. */
async function runRounds(context: StepContext, block: Block, host: HostState): Promise<void> {
  if (!block.loop) return runTries(context, block, host);
  const items = await evaluateItems(context, block, scopeFor(context, block, host));
  if (isUnknown(items)) return reportBlock(context, block, host, 'unknown', items.because);
  if (items.values.length === 0) registerSkipped(block, host, 'the loop has no items');
  const names = block.loopControl ?? {};
  for (const [index, value] of items.values.entries()) {
    if (index > 0 && names.pause) await sleepUntilStopped(context.run.interrupt, names.pause);
    if (host.failed || context.run.interrupt.requested) return;
    const locals = { ...context.locals, [names.item ?? 'item']: value, [names.index ?? 'index']: index };
    await runTries({ ...context, locals, suffix: `${context.suffix}#${index}` }, block, host);
  }
}

async function runTries(context: StepContext, block: Block, host: HostState): Promise<void> {
  const { run } = context;
  if (!isRetried(block)) return runRound(context, block, [host]);
  const settings = await trySettings(run, block, scopeFor(context, block, host));
  if (isUnknown(settings)) return reportBlock(context, block, host, 'unknown', settings.because);
  const { tries } = settings;
  let { delay } = settings;
  for (let n = 1; ; n++) {
    // What fails before the last round is on its way to the next one.
    const rescuable = context.rescuable || n < tries;
    const suffix = n === 1 ? context.suffix : `${context.suffix}~${n}`;
    const before = failuresOf(host);
    await runRound({ ...context, rescuable, suffix }, block, [host]);
    const settled =
      block.until && !host.failed ? await allTrue(run, block.until, scopeFor(context, block, host)) : !host.failed;
    if (settled === true || isUnknown(settled) || run.interrupt.requested) return;
    if (n >= tries) {
      if (!host.failed) failBlock(context, block, host, `still not true after ${tries} tries`);
      return;
    }
    if (waitsForPending(run)) {
      if (!host.failed) reportBlock(context, block, host, 'unknown', wouldTryAgain(block, 'one of its tasks fails'));
      return noteLost(context, [host]);
    }
    const message = `round ${n} of the block was not enough`;
    run.emitter.emit({
      type: 'task-retry',
      host: host.name,
      task: block.id + context.suffix,
      attempt: n,
      of: tries,
      delay,
      message,
    });
    // It is not a failure yet.
    Object.assign(host.recap, before);
    host.failed = undefined;
    // A run that goes on has waited already.
    const isKnown = run.replay?.hasRound(host.name, `${block.id}${context.suffix}~${n + 1}`);
    if (!isKnown) await sleepUntilStopped(run.interrupt, delay);
    if (run.interrupt.requested) return failBlock(context, block, host, `stopped after round ${n} of ${tries}`);
    delay *= block.backoff ?? 1;
  }
}

/** The counts that a rescue or another try of a block takes back. */
function failuresOf({ recap: { failed, unreachable } }: HostState): Pick<HostRecap, 'failed' | 'unreachable'> {
  return { failed, unreachable };
}

/** The steps, then rescue for hosts that failed in them (unreachable ones too), then always for every host that entered. */
async function runRound(context: StepContext, block: Block, hosts: readonly HostState[]): Promise<void> {
  const { run } = context;
  const rescuable = context.rescuable || block.rescue.length > 0;
  const before = new Map(hosts.map((host) => [host, failuresOf(host)]));
  await runSteps({ ...context, rescuable }, block.steps, hosts);
  const fallen = hosts.filter((host) => host.failed);
  if (block.rescue.length > 0 && fallen.length > 0 && !run.interrupt.requested) {
    for (const host of fallen) host.failed = undefined;
    await runSteps(context, block.rescue, fallen);
    for (const host of alive(fallen)) countRescue(context, block, host, before.get(host)!);
  }
  if (!run.interrupt.requested) tellFailed(context, block, hosts);
  if (block.always.length > 0 && !run.interrupt.requested) await runAlways(context, block, hosts);
  noteLost(context, hosts);
}

async function runAlways(context: StepContext, block: Block, hosts: readonly HostState[]): Promise<void> {
  const failures = new Map(hosts.map((host) => [host, host.failed]));
  for (const host of hosts) host.failed = undefined;
  await runSteps({ ...context, cleaning: true }, block.always, hosts);
  for (const [host, failure] of failures) host.failed ??= failure;
}

/**
 * On disk before `always` puts away what the steps had made: a resume must not go on in the midst of them. Where another round
 * or a rescue follows, a resume goes on to that.
 */
function tellFailed({ run, suffix, rescuable }: StepContext, block: Block, hosts: readonly HostState[]): void {
  if (rescuable || (block.rescue.length === 0 && block.always.length === 0)) return;
  for (const host of hosts)
    if (host.failed) run.emitter.emit({ type: 'block-failed', host: host.name, block: block.id + suffix });
}

function countRescue(context: StepContext, block: Block, host: HostState, before: ReturnType<typeof failuresOf>): void {
  context.run.emitter.emit({ type: 'host-rescued', host: host.name, block: block.id + context.suffix });
  Object.assign(host.recap, before);
  host.recap.rescued++;
}
