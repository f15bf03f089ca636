import { EXIT, type ReeveError } from '../errors.ts';
import { layeredScope } from '../language/scope.ts';
import { Slices } from '../slices.ts';
import { Clusters } from './cluster-access.ts';
import { hostState, type RunParts, type RunState } from './run-state.ts';
import { Semaphore } from './semaphore.ts';

/** The state of a run that begins. */
export function startRun(parts: RunParts): RunState {
  const run: RunState = {
    ...parts,
    hosts: new Map(),
    forks: new Semaphore(parts.settings.forks),
    slices: new Slices(),
    throttles: new Map(),
    clusters: new Clusters(),
    locks: [],
    // What a change left a node in stays so until another one mends it, whichever process makes it.
    nodes: parts.replay?.nodes ?? new Map(),
    pending: { any: false },
    foreseen: {},
    emptyScope: layeredScope([]),
  };
  for (const name of parts.inventory.hosts.keys()) hostState(run, name);
  return run;
}

/** Ends what is not a run of plays (a rollback): gives its exit code. */
export async function endRun(run: RunState, error: ReeveError | undefined): Promise<number> {
  await run.clusters.close();
  await run.emitter.flush();
  if (run.interrupt.pressed) return EXIT.interrupted;
  return error?.exitCode ?? EXIT.done;
}
