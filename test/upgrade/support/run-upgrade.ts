import { fileURLToPath } from 'node:url';
import { modules } from '../../../modules/index.ts';
import { runId } from '../../../runner/cli/assemble.ts';
import { createConnections } from '../../../runner/connect/connections.ts';
import type { RunEnded, RunEvent, TaskEnded } from '../../../runner/events.ts';
import { Interrupt } from '../../../runner/execute/interrupt.ts';
import { runPlaybook } from '../../../runner/execute/run.ts';
import { loadInventory } from '../../../runner/inventory/load.ts';
import { Emitter } from '../../../runner/journal/emitter.ts';
import { Masker } from '../../../runner/journal/masker.ts';
import { fillInputs } from '../../../runner/playbook/fill-inputs.ts';
import { loadPlaybook } from '../../../runner/playbook/parse.ts';
import { painter } from '../../../runner/report/paint.ts';
import { PlainReport } from '../../../runner/report/plain.ts';
import { checkArgs } from '../../../runner/validate/args.ts';
import type { Lab } from '../../lab/lab.ts';

export const PLAYBOOK = fileURLToPath(new URL('../../../playbooks/upgrade-k3s.yaml', import.meta.url));

export interface UpgradeOptions {
  check?: boolean;
  limit?: string;
  /** Further inventory sources, after the lab's own. */
  inventory?: string[];
  /** Sees every event as it comes; what it throws ends the test. */
  onEvent?: (event: RunEvent, interrupt: Interrupt) => void;
}

export interface Upgrade {
  exitCode: number;
  /** What a person without a terminal would have read. */
  text: string;
  events: RunEvent[];
  ended: RunEnded;
  /** Every finished task as `HOST TASK STATUS`, skipped ones left out. */
  tasks: string[];
  /** The finished tasks of one name. */
  of(task: string): TaskEnded[];
  /** The failed or unreachable ones. */
  failures: TaskEnded[];
}

/** Runs `playbooks/upgrade-k3s.yaml` on a lab with the real engine. `inputs` are what `-e` would give. */
export async function upgrade(
  lab: Lab,
  inputs: Record<string, string>,
  options: UpgradeOptions = {},
): Promise<Upgrade> {
  const playbook = loadPlaybook(PLAYBOOK, modules);
  const inventory = loadInventory([lab.inventoryFile, ...(options.inventory ?? [])]);
  const given = { channel_url: lab.channelUrl, install_script: lab.installScriptUrl, ...inputs };
  const extra = Object.entries(given).map(([name, text]) => ({ name, text, from: '-e' }));
  const filled = await fillInputs(playbook, extra, {}, undefined);
  const startedAt = new Date();
  const check = options.check ?? false;
  const events: RunEvent[] = [];
  const lines: string[] = [];
  const report = new PlainReport({ verbose: false, diff: false, paint: painter(false) });
  const interrupt = new Interrupt();
  const handle = (event: RunEvent) => {
    events.push(event);
    lines.push(...report.lines(event));
    options.onEvent?.(event, interrupt);
  };
  const masker = new Masker();
  const connections = createConnections({ hostKeyChecking: 'strict' });
  try {
    const { exitCode } = await runPlaybook(
      {
        playbook,
        inventory,
        modules,
        settings: {
          ...{ check, diff: false, forks: 50, tags: [], skipTags: [], startedAt },
          ...{ inputs: filled.inputs, extraVars: filled.extraVars },
          ...(options.limit === undefined ? {} : { limit: options.limit }),
        },
        emitter: new Emitter(runId(startedAt), [{ handle }], masker),
        masker,
        connections,
        checkArgs,
        confirm: async () => true,
        interrupt,
      },
      { playbook: PLAYBOOK, reeve: 'test' },
    );
    return { exitCode, events, text: lines.join('\n'), ...described(events) };
  } finally {
    await connections.close();
  }
}

function described(events: RunEvent[]) {
  const finished = events.filter((event) => event.type === 'task-ended');
  const ended = events.at(-1);
  if (ended?.type !== 'run-ended') throw new Error('the run has no last event');
  return {
    ended,
    tasks: finished.filter(({ status }) => status !== 'skipped').map((e) => `${e.host} ${e.task.name} ${e.status}`),
    of: (task: string) => finished.filter((event) => event.task.name === task),
    failures: finished.filter(({ status }) => status === 'failed' || status === 'unreachable'),
  };
}
