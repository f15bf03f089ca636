import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modules } from '../../modules/index.ts';
import { createConnections } from '../../runner/connect/connections.ts';
import type { RunEvent, TaskEnded } from '../../runner/events.ts';
import { Interrupt } from '../../runner/execute/interrupt.ts';
import { type RunOutcome, runPlaybook } from '../../runner/execute/run.ts';
import type { RunSettings } from '../../runner/execute/run-state.ts';
import { loadInventory } from '../../runner/inventory/load.ts';
import { Emitter } from '../../runner/journal/emitter.ts';
import { Masker } from '../../runner/journal/masker.ts';
import type { AnyModule } from '../../runner/module.ts';
import { fillInputs } from '../../runner/playbook/fill-inputs.ts';
import { loadPlaybook } from '../../runner/playbook/parse.ts';
import { checkArgs } from '../../runner/validate/args.ts';

export interface RunGiven {
  /** Text of the playbook. */
  playbook: string;
  /** Text of the inventory in reeve's dialect; default: hosts a, b, c, d in the group web, all local. */
  inventory?: string;
  /** Further files beside the playbook, by relative path. */
  files?: Record<string, string>;
  settings?: Partial<RunSettings>;
  /** `-e name=value` */
  extra?: Record<string, string>;
  modules?: AnyModule[];
  confirm?: (question: string) => Promise<boolean>;
  /** Sees every event as it comes. */
  onEvent?: (event: RunEvent, interrupt: Interrupt) => void;
}

export interface RunResultForTests extends RunOutcome {
  events: RunEvent[];
  /** Every finished task: `HOST TASK STATUS`. */
  tasks: string[];
  /** Those of one task name, in order. */
  of(name: string): TaskEnded[];
  message: string | undefined;
  dir: string;
}

/** Four hosts that are this machine; each has its own variable `n`. */
export const FOUR_HOSTS = `
reeve: 1
all:
  vars: { transport: local, reeve_dir: /nonexistent }
  children:
    web:
      hosts:
        a: { n: 1 }
        b: { n: 2 }
        c: { n: 3 }
        d: { n: 4 }
`;

/** Runs a playbook with the real engine over real local shells, in a folder of its own that is gone afterwards. */
export async function runText(given: RunGiven): Promise<RunResultForTests> {
  const dir = mkdtempSync(join(tmpdir(), 'reeve-run-'));
  const connections = createConnections({ hostKeyChecking: 'off' });
  const events: RunEvent[] = [];
  const interrupt = new Interrupt();
  try {
    const { playbook, inventory, filled } = await load(dir, given);
    const masker = new Masker();
    masker.add(filled.secrets);
    const settings: RunSettings = {
      check: false,
      diff: false,
      forks: 50,
      tags: [],
      skipTags: [],
      inputs: filled.inputs,
      extraVars: filled.extraVars,
      startedAt: new Date(),
      ...given.settings,
    };
    const sink = {
      handle(event: RunEvent) {
        events.push(event);
        given.onEvent?.(event, interrupt);
      },
    };
    const outcome = await runPlaybook(
      {
        playbook,
        inventory,
        modules: registry(given),
        settings,
        emitter: new Emitter('test-run', [sink], masker),
        masker,
        connections,
        checkArgs,
        confirm: given.confirm ?? (async () => true),
        interrupt,
      },
      { playbook: 'test.yaml', reeve: 'test' },
    );
    return { ...outcome, ...describe(events), events, dir };
  } finally {
    await connections.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function load(dir: string, given: RunGiven) {
  const file = join(dir, 'test.yaml');
  writeFileSync(file, given.playbook);
  for (const [name, text] of Object.entries(given.files ?? {})) writeFileSync(join(dir, name), text);
  writeFileSync(
    join(dir, 'inventory.yaml'),
    given.inventory ?? FOUR_HOSTS.replaceAll('/nonexistent', join(dir, 'state')),
  );
  const playbook = loadPlaybook(file, registry(given));
  const inventory = loadInventory([join(dir, 'inventory.yaml')], dir);
  const extra = Object.entries(given.extra ?? {}).map(([name, text]) => ({ name, text, from: '-e' }));
  return { playbook, inventory, filled: await fillInputs(playbook, extra, {}, undefined) };
}

function registry(given: RunGiven): ReadonlyMap<string, AnyModule> {
  return new Map([...modules, ...(given.modules ?? []).map((module) => [module.name, module] as const)]);
}

function describe(events: RunEvent[]) {
  const ended = events.filter((event) => event.type === 'task-ended');
  const last = events.at(-1);
  return {
    tasks: ended.map((event) => `${event.host} ${event.task.name} ${event.ignored ? 'ignored' : event.status}`),
    of: (name: string) => ended.filter((event) => event.task.name === name),
    message: last?.type === 'run-ended' ? last.message : undefined,
  };
}
