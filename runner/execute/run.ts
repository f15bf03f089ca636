import { EXIT, ReeveError } from '../errors.ts';
import type { HostRecap, RunEnded } from '../events.ts';
import { layeredScope } from '../language/scope.ts';
import { Clusters } from './cluster-access.ts';
import { takeLock } from './lock.ts';
import { runPlay } from './play.ts';
import { hostState, type RunParts, type RunState } from './run-state.ts';
import { Semaphore } from './semaphore.ts';
import { Sources } from './sources.ts';
import { refuseUncheckable } from './uncheckable.ts';

export interface RunOutcome {
  exitCode: number;
  recap: Record<string, HostRecap>;
  /** Something is pending or unknown (check mode), or was changed. */
  pending: boolean;
}

export interface RunLabels {
  playbook: string;
  reeve: string;
}

/**
 * Runs a playbook: every play in turn, everything told to the journal. Returns also when tasks failed; the exit code
 * says how it ended.
 */
export async function runPlaybook(parts: RunParts, labels: RunLabels): Promise<RunOutcome> {
  const { playbook, inventory, settings, emitter } = parts;
  const run: RunState = {
    ...parts,
    hosts: new Map(),
    forks: new Semaphore(settings.forks),
    throttles: new Map(),
    clusters: new Clusters(),
    nodes: new Map(),
    pending: { any: false },
    foreseen: {},
    emptyScope: layeredScope([]),
  };
  for (const name of inventory.hosts.keys()) hostState(run, name);
  emitter.emit({
    type: 'run-started',
    playbook: labels.playbook,
    name: playbook.name,
    inventory: inventory.sources,
    check: settings.check,
    diff: settings.diff,
    reeve: labels.reeve,
    inputs: settings.inputs,
  });
  let error: ReeveError | undefined;
  let refused: string | undefined;
  try {
    if (settings.check) refuseUncheckable(playbook, run.modules);
    const lock = await takeLock(run);
    try {
      refused = await runPlays(run);
    } finally {
      await lock?.release();
    }
  } catch (thrown) {
    error = asRunError(thrown, run);
  }
  await run.clusters.close();
  const ended = ending(run, error, refused);
  emitter.emit(ended);
  await emitter.flush();
  return { exitCode: ended.exitCode, recap: ended.recap, pending: run.pending.any };
}

async function runPlays(run: RunState): Promise<string | undefined> {
  const sources = new Sources(run.playbook.directory);
  let empty = true;
  for (const [index, play] of run.playbook.plays.entries()) {
    if (run.interrupt.requested) break;
    const outcome = await runPlay(run, play, index, sources);
    empty &&= outcome.empty;
    if (outcome.refused) return outcome.refused;
    if (outcome.failed.length > 0 && play.onFailure === 'stop') break;
  }
  if (empty && !run.interrupt.requested && ![...run.hosts.values()].some((host) => host.failed)) {
    throw new ReeveError('no-hosts', 'no host matches any play of this playbook', {
      hint:
        run.settings.limit === undefined
          ? 'look at `hosts:` and at the inventory'
          : `--limit ${run.settings.limit} leaves no host`,
      exitCode: EXIT.invalid,
    });
  }
  return undefined;
}

function asRunError(thrown: unknown, run: RunState): ReeveError {
  if (thrown instanceof ReeveError) return thrown;
  if (run.interrupt.signal.aborted) return new ReeveError('interrupted', 'interrupted', { exitCode: EXIT.interrupted });
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new ReeveError('unexpected', stack, {
    cause: thrown,
    hint: 'this is a bug in reeve: please report it with the lines above',
  });
}

/** The last event. When several ends apply the order is 130, 1, 6, 3, 2 (the semantics of failures). */
function ending(run: RunState, error: ReeveError | undefined, refused: string | undefined): RunEnded {
  const used = [...run.hosts.values()].filter((host) => Object.values(host.recap).some((count) => count > 0));
  const failures = used.map((host) => host.failed).filter((failure) => failure !== undefined);
  const problem = error ?? run.unexpected;
  const codes = [
    run.interrupt.requested ? EXIT.interrupted : undefined,
    problem?.exitCode,
    refused === undefined ? undefined : EXIT.refused,
    failures.includes('unreachable') ? EXIT.unreachable : undefined,
    failures.includes('failed') ? EXIT.taskFailed : undefined,
  ];
  const exitCode = codes.find((code) => code !== undefined) ?? EXIT.done;
  const message = error?.message ?? refused;
  return {
    type: 'run-ended',
    exitCode,
    outcome: outcomeOf(exitCode),
    duration: Date.now() - run.settings.startedAt.getTime(),
    recap: Object.fromEntries(used.map((host) => [host.name, { ...host.recap }])),
    nodes: Object.fromEntries(run.nodes),
    ...(message === undefined ? {} : { message }),
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
    ...(error?.place === undefined ? {} : { place: error.place }),
  };
}

function outcomeOf(exitCode: number): RunEnded['outcome'] {
  switch (exitCode) {
    case EXIT.done:
      return 'done';
    case EXIT.interrupted:
      return 'interrupted';
    case EXIT.refused:
      return 'refused';
    case EXIT.unreachable:
      return 'unreachable';
    case EXIT.taskFailed:
      return 'failed';
    default:
      return 'error';
  }
}
