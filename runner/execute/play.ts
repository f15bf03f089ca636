import { EXIT, ReeveError } from '../errors.ts';
import { splitPattern } from '../inventory/patterns.ts';
import type { Compiled } from '../language/types.ts';
import { findUnknown, type Unknown } from '../language/unknown.ts';
import type { Play, Step } from '../playbook/model.ts';
import { cutBatches, orderHosts } from './batches.ts';
import { inherit, NOTHING_INHERITED, newPlayState, type PlayState, type StepContext } from './context.ts';
import { flushHandlers } from './flush-handlers.ts';
import { gatherFacts, withFacts } from './gather.ts';
import { reportPending } from './handlers.ts';
import { hostScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { noteLost } from './lost-hosts.ts';
import { hostState, type RunState } from './run-state.ts';
import type { Sources } from './sources.ts';
import { runSteps, runTaskOnHosts } from './steps.ts';
import { CONTROL_HOST } from './where.ts';

/** How a play ended, as far as the plays after it care. */
export interface PlayOutcome {
  failed: string[];
  /** Set when a gate or a person refused. */
  refused?: string;
  /** It was the gate, not a person. */
  gateRefused?: boolean;
  /** No host was left to run it on, after `--limit` or earlier failures. */
  empty: boolean;
}

/** Runs one play: its hosts, batch after batch, with handlers and the gate. */
export async function runPlay(run: RunState, play: Play, index: number, sources: Sources): Promise<PlayOutcome> {
  try {
    return await runKnownPlay(run, play, index, sources);
  } catch (error) {
    if (error instanceof PlayUnknown) return leftOut(run, play, index, error.unknown);
    throw error;
  }
}

/** Check mode: what a play says of itself depends on something that has not been done. */
class PlayUnknown extends Error {
  readonly unknown: Unknown;
  constructor(unknown: Unknown) {
    super(unknown.because);
    this.unknown = unknown;
  }
}

/** Its hosts or batches are not known yet: nothing of it can be told. */
function leftOut(run: RunState, play: Play, index: number, { because }: Unknown): PlayOutcome {
  const message = `play "${play.name}" cannot be told before the changes above are made: ${because}`;
  run.pending.any = true;
  run.emitter.emit({ type: 'play-started', play: index, name: play.name, hosts: [], batches: 0 });
  run.emitter.emit({ type: 'notice', level: 'warning', message });
  run.emitter.emit({ type: 'play-ended', play: index, failed: [], skippedBatches: 0 });
  return { failed: [], empty: false };
}

async function runKnownPlay(run: RunState, play: Play, index: number, sources: Sources): Promise<PlayOutcome> {
  const names = await playHosts(run, play);
  const hosts = names.map((name) => hostState(run, name)).filter((host) => !host.failed);
  const serial = await atControl(run, play, play.serial);
  const batches = inBatches(
    play,
    hosts.map((host) => host.name),
    serial,
    run.replay?.batchesOf(index),
  );
  const started = { play: index, name: play.name, hosts: batches.flat(), batches: batches.length };
  run.emitter.tell({ type: 'play-started', ...started }, run.replay?.hasPlay(index, started.hosts));
  if (batches.length === 0) {
    run.emitter.emit({ type: 'play-ended', play: index, failed: [], skippedBatches: 0 });
    return { failed: [], empty: true };
  }
  const refusal = run.replay?.batchesOf(index)[0] ? undefined : await askFirst(run, play);
  if (refusal) {
    run.emitter.emit({ type: 'play-ended', play: index, failed: [], skippedBatches: batches.length });
    return { failed: [], refused: refusal, empty: false };
  }
  return runBatches(run, newPlayState(play, index), batches, serial !== undefined, sources);
}

async function runBatches(
  run: RunState,
  playState: PlayState,
  batches: string[][],
  serial: boolean,
  sources: Sources,
): Promise<PlayOutcome> {
  const { play, index } = playState;
  const failed: string[] = [];
  let refused: string | undefined;
  let done = 0;
  for (const [number, names] of batches.entries()) {
    if (run.interrupt.requested) break;
    if (names.length === 0) {
      done++;
      continue;
    }
    const hosts = names.map((name) => hostState(run, name));
    const context: StepContext = { ...playContext(run, playState, number, sources), hosts };
    playState.lost.clear();
    const begun = run.replay?.hasBatch(index, number, names);
    run.emitter.tell({ type: 'batch-started', play: index, batch: number, of: batches.length, hosts: names }, begun);
    await runBatch(context, hosts);
    const lost = hosts.filter((host) => host.failed).map((host) => host.name);
    failed.push(...lost);
    const stop = playState.aborted || mustStop(play, serial, lost.length, names.length);
    if (!stop && !run.interrupt.requested) refused = await runGate(context, names, number, batches.length);
    run.emitter.emit({ type: 'batch-ended', play: index, batch: number, failed: lost });
    done++;
    if (stop || refused) break;
  }
  run.emitter.emit({ type: 'play-ended', play: index, failed, skippedBatches: batches.length - done });
  return { failed, empty: false, ...(refused ? { refused, gateRefused: true } : {}) };
}

/** With serial, one failed host stops the batches after it; max_fail_percentage widens that. */
function mustStop(play: Play, serial: boolean, lost: number, total: number): boolean {
  return lost > 0 && serial && (play.maxFailPercentage === undefined || (lost * 100) / total > play.maxFailPercentage);
}

async function runBatch(context: StepContext, hosts: HostState[]): Promise<void> {
  const { run, playState } = context;
  const { play } = playState;
  if (play.gatherFacts) {
    await gatherAll(context, hosts);
    noteLost(context, hosts);
  }
  for (const [section, steps] of [
    ['pre_tasks', play.preTasks],
    ['tasks', play.tasks],
    ['post_tasks', play.postTasks],
  ] as const) {
    await runSection({ ...context, section }, steps, hosts);
    await flushHandlers(context, hosts, runTaskOnHosts);
  }
  if (!run.interrupt.requested || hosts.some((h) => h.notified.size > 0)) reportPending(run, play, hosts);
}

function runSection(context: StepContext, steps: readonly Step[], hosts: HostState[]): Promise<unknown> {
  if (context.playState.play.strategy === 'linear') return runSteps(context, steps, hosts);
  return Promise.all(hosts.map((host) => runSteps(context, steps, [host])));
}

async function gatherAll({ run, playState, batch }: StepContext, hosts: HostState[]): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      try {
        await run.forks.use(() => gatherFacts(run, host));
      } catch (error) {
        if (!(error instanceof ReeveError)) throw error;
        const status = error.exitCode === EXIT.unreachable ? 'unreachable' : 'failed';
        host.failed = status;
        host.count(status, false);
        const task = {
          id: `plays[${playState.index}].gather_facts`,
          name: 'gather facts',
          module: 'gather-facts',
          section: 'facts',
        };
        run.emitter.emit({
          type: 'task-ended',
          play: playState.index,
          batch,
          host: host.name,
          task,
          status,
          duration: 0,
          changes: [],
          message: error.message,
          error: {
            code: error.code,
            message: error.message,
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          },
        });
      }
    }),
  );
}

/** Runs the gate on the control machine. Returns why it refused, or undefined. */
async function runGate(context: StepContext, hosts: string[], number: number, of: number): Promise<string | undefined> {
  const { run, playState } = context;
  if (playState.play.gate.length === 0) return undefined;
  const control = hostState(run, CONTROL_HOST);
  const before = control.failed;
  control.failed = undefined;
  const locals = { ...context.locals, batch: { hosts, number: number + 1, of } };
  playState.lost.clear();
  const inGate: StepContext = { ...context, section: 'gate', hosts: [control], locals, suffix: `@${number}` };
  await runSteps(inGate, playState.play.gate, [control]);
  const failed = control.failed;
  control.failed = before;
  return failed ? `the gate of play "${playState.play.name}" refused after batch ${number + 1} of ${of}` : undefined;
}

export function playContext(run: RunState, playState: PlayState, batch: number, sources: Sources): StepContext {
  return {
    run,
    playState,
    batch,
    hosts: [],
    section: 'tasks',
    vars: [playState.play.vars],
    locals: {},
    inherited: inherit(NOTHING_INHERITED, playState.play),
    suffix: '',
    rescuable: false,
    cleaning: false,
    sources,
  };
}

/**
 * The hosts a play names, narrowed by `--limit`, in the order in which the pattern names them.
 * @throws ReeveError `no-hosts` when the pattern names nothing that exists.
 */
async function playHosts(run: RunState, play: Play): Promise<string[]> {
  const pattern = await atControl(run, play, play.hosts);
  const text = Array.isArray(pattern) ? pattern.map(String).join(',') : String(pattern);
  const terms = Array.isArray(pattern) ? pattern.flatMap((part) => splitPattern(String(part))) : text;
  if (text === CONTROL_HOST && !run.inventory.hosts.has(CONTROL_HOST)) return [CONTROL_HOST];
  // A template that comes to nothing leaves the play out.
  if (text === '' && !play.hosts.isStatic) return [];
  let hosts: string[];
  try {
    hosts = run.inventory.match(terms);
  } catch (error) {
    throw atPlay(error, play);
  }
  if (run.settings.limit === undefined) return hosts;
  const limited = new Set(run.inventory.match(run.settings.limit));
  return hosts.filter((name) => limited.has(name));
}

/** What was rendered has no place of its own: the play is the line to point at. */
function atPlay(error: unknown, { place }: Play): unknown {
  if (!(error instanceof ReeveError) || error.place) return error;
  const { code, message, hint, exitCode } = error;
  return new ReeveError(code, message, { place, hint, exitCode });
}

function inBatches(
  play: Play,
  hosts: readonly string[],
  serial: unknown,
  begun: readonly (readonly string[])[] | undefined,
): string[][] {
  try {
    return cutBatches(orderHosts(hosts, play.order), serial, begun);
  } catch (error) {
    throw atPlay(error, play);
  }
}

/** Asks the question of `confirm`; gives the refusal, or undefined to go on. In check mode nothing is asked. */
async function askFirst(run: RunState, play: Play): Promise<string | undefined> {
  if (run.settings.check) {
    await tellQuestion(run, play);
    return undefined;
  }
  const question = await atControl(run, play, play.confirm);
  if (question === undefined) return undefined;
  return (await run.confirm(String(question))) ? undefined : `not confirmed: ${String(question)}`;
}

async function tellQuestion(run: RunState, play: Play): Promise<void> {
  const question = await renderAtControl(run, play, play.confirm);
  if (question === undefined) return;
  const unknown = findUnknown(question);
  const message = unknown ? `would ask something that is not known yet: ${unknown.because}` : `would ask: ${question}`;
  run.emitter.emit({ type: 'notice', level: 'info', message });
}

/** Renders something that belongs to the play and to no host: with the control machine's names. */
async function atControl(run: RunState, play: Play, compiled: Compiled | undefined): Promise<unknown> {
  const value = await renderAtControl(run, play, compiled);
  const unknown = findUnknown(value);
  if (unknown) throw new PlayUnknown(unknown);
  return value;
}

async function renderAtControl(run: RunState, play: Play, compiled: Compiled | undefined): Promise<unknown> {
  if (!compiled) return undefined;
  const scope = hostScope(run, hostState(run, CONTROL_HOST), { vars: [play.vars], locals: {} });
  return withFacts(run, () => compiled.render(scope));
}
