import { EXIT, ReeveError } from '../errors.ts';
import type { EventBody, HostRecap, RunEnded, RunResumed } from '../events.ts';
import { MASK } from '../journal/masker.ts';
import type { Playbook } from '../playbook/model.ts';
import { withoutSecrets } from '../playbook/secret-inputs.ts';
import { onFailure } from './failure-mode.ts';
import { releaseLocks, takeLocks } from './lock.ts';
import { nodeStateText } from './node-states.ts';
import { afterFailure } from './on-failure.ts';
import { restorePlay } from './past-play.ts';
import { runPlay } from './play.ts';
import type { RunParts, RunState } from './run-state.ts';
import { Sources } from './sources.ts';
import { startRun } from './start-run.ts';
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
  /** Set when an earlier run of the same id goes on. */
  resumed?: Omit<RunResumed, 'type' | 'reeve'>;
}

/**
 * Runs a playbook: every play in turn, everything told to the journal. Returns also when tasks failed; the exit code
 * says how it ended.
 */
export async function runPlaybook(parts: RunParts, labels: RunLabels): Promise<RunOutcome> {
  const { playbook, settings, emitter } = parts;
  const run = startRun(parts);
  announce(run, labels);
  let error: ReeveError | undefined;
  let refused: string | undefined;
  let after: ReeveError | undefined;
  try {
    if (settings.check) refuseUncheckable(playbook, run.modules);
    await takeLocks(run);
    try {
      ({ refused, after } = await runPlays(run));
    } finally {
      await releaseLocks(run);
    }
  } catch (thrown) {
    error = asRunError(thrown, run);
  }
  await run.clusters.close();
  const ended = ending(run, error, refused, after);
  emitter.emit(ended);
  await emitter.flush();
  return { exitCode: ended.exitCode, recap: ended.recap, pending: run.pending.any };
}

/** A run that goes on says so in its journal; those who watch are told what it is. */
function announce({ emitter, playbook, inventory, settings, replay }: RunState, labels: RunLabels): void {
  const isKnown = labels.resumed !== undefined && replay?.isEmpty === false;
  const started: EventBody = {
    type: 'run-started',
    playbook: labels.playbook,
    name: playbook.name,
    inventory: inventory.sources,
    check: settings.check,
    diff: settings.diff,
    reeve: labels.reeve,
    inputs: shownInputs(playbook, settings.inputs),
    ...(playbook.description === undefined ? {} : { description: playbook.description }),
  };
  emitter.tell(started, isKnown);
  if (!isKnown) for (const text of playbook.notes) emitter.emit({ type: 'note', text });
  if (labels.resumed) emitter.emit({ type: 'run-resumed', reeve: labels.reeve, ...labels.resumed });
}

/** Secret inputs by name only: a short one would not be masked. */
function shownInputs(playbook: Playbook, inputs: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(inputs);
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutSecrets(playbook.inputs[name], value, MASK)]));
}

/** Runs the plays; says why the run was refused, and what followed when hosts failed. */
async function runPlays(run: RunState): Promise<{ refused?: string | undefined; after?: ReeveError | undefined }> {
  const sources = new Sources(run.playbook.directory);
  let empty = true;
  for (const [index, play] of run.playbook.plays.entries()) {
    if (run.interrupt.requested) break;
    const past = run.replay?.pastPlay(index);
    const outcome = past ? await restorePlay(run, index, past, sources) : await runPlay(run, play, index, sources);
    empty &&= outcome.empty;
    if (outcome.failed.length > 0 || outcome.gateRefused) {
      const { refused } = outcome;
      if (refused || onFailure(run, play) !== 'continue')
        return { refused, after: await afterFailure(run, play, index) };
    }
    if (outcome.refused) return { refused: outcome.refused };
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
  return {};
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
function ending(
  run: RunState,
  error: ReeveError | undefined,
  refused: string | undefined,
  after: ReeveError | undefined,
): RunEnded {
  const used = [...run.hosts.values()].filter((host) => Object.values(host.recap).some((count) => count > 0));
  const failures = used.map((host) => host.failed).filter((failure) => failure !== undefined);
  const problem = error ?? run.interrupt.halted ?? run.unexpected;
  const codes = [
    run.interrupt.pressed ? EXIT.interrupted : undefined,
    problem?.exitCode,
    refused === undefined ? undefined : EXIT.refused,
    failures.includes('unreachable') ? EXIT.unreachable : undefined,
    failures.includes('failed') ? EXIT.taskFailed : undefined,
  ];
  const exitCode = codes.find((code) => code !== undefined) ?? EXIT.done;
  const told = error ?? run.interrupt.halted ?? after;
  const message = [refused, told?.message].filter((part) => part !== undefined).join('; ') || undefined;
  return {
    type: 'run-ended',
    exitCode,
    outcome: outcomeOf(exitCode),
    duration: Math.max(0, Date.now() - run.settings.startedAt.getTime()),
    recap: Object.fromEntries(used.map((host) => [host.name, { ...host.recap }])),
    nodes: Object.fromEntries([...run.nodes].map(([node, aspects]) => [node, nodeStateText(aspects) ?? ''])),
    ...(message === undefined ? {} : { message }),
    ...hintOf(run, told),
    ...(told?.place === undefined ? {} : { place: told.place }),
  };
}

/** What to do next. Who presses Ctrl-C in the middle of something wants to know how it goes on. */
function hintOf({ interrupt, settings, emitter }: RunState, told: ReeveError | undefined): { hint?: string } {
  if (told?.hint !== undefined) return { hint: told.hint };
  return interrupt.pressed && !settings.check ? { hint: `\`reeve resume ${emitter.run}\` goes on with it` } : {};
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
