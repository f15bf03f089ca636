import type { PlayState, StepContext } from './context.ts';
import { onFailure } from './failure-mode.ts';
import type { HostState } from './host-state.ts';
import type { RunState } from './run-state.ts';

/**
 * Notes which hosts of the batch are lost: failed where no rescue and no further try can mend it. Ends the play for all of
 * its hosts when they are too many. The share counts in hosts of the batch, however few are at this step.
 */
export function noteLost(context: StepContext, hosts: readonly HostState[]): void {
  if (context.rescuable) return;
  const { run, playState } = context;
  const before = playState.lost.size;
  for (const host of hosts) if (host.failed) playState.lost.add(host);
  if (playState.lost.size > before && tooManyLost(run, playState, context.hosts.length)) playState.aborted = true;
}

/** any_errors_fatal, a pause, and max_fail_percentage of the batch. */
function tooManyLost(run: RunState, { play, lost }: PlayState, total: number): boolean {
  if (play.anyErrorsFatal || onFailure(run, play) === 'pause') return true;
  return play.maxFailPercentage !== undefined && (lost.size * 100) / total > play.maxFailPercentage;
}
