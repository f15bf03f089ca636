import { modules } from '../../modules/index.ts';
import type { RunState } from '../execute/run-state.ts';
import { startRun } from '../execute/start-run.ts';
import { parseDocument } from '../load/parse.ts';
import { assemble } from './assemble.ts';
import { loadRun } from './load-run.ts';
import { text } from './options.ts';
import { maskerOf } from './passwords.ts';

/** A run needs a playbook; this one does nothing. */
const NOTHING = 'plays: [{ hosts: localhost, tasks: [] }]';

/**
 * The parts of a run that runs nothing and records nothing: its connections, variables and ways to the cluster are those
 * of any run. Whoever calls this closes `clusters` and `connections`.
 */
export async function idleRun(name: string, options: Record<string, unknown>, forks: number): Promise<RunState> {
  const { playbook, inventory, filled, secrets } = await loadRun(
    () => parseDocument(NOTHING, `(${name})`),
    options,
    process.cwd(),
  );
  const masker = maskerOf({ secrets, playbook, inventory, filled });
  const { inputs, extraVars } = filled;
  const parts = await assemble({
    id: name,
    playbook,
    inventory,
    modules,
    settings: {
      ...{ check: true, diff: false, forks, tags: [], skipTags: [] },
      inputs,
      extraVars,
      startedAt: new Date(),
    },
    sinks: [],
    masker,
    yes: false,
    reporter: { handle: () => {}, apart: (work) => work() },
    hostKeyChecking: text(options.hostKeyChecking, '--host-key-checking') ?? process.env.REEVE_HOST_KEY_CHECKING,
  });
  return startRun(parts);
}
