import { randomBytes } from 'node:crypto';
import type { Connections } from '../connect/types.ts';
import type { EventSink, RunEvent } from '../events.ts';
import { Interrupt } from '../execute/interrupt.ts';
import type { KeepText } from '../execute/recorded-value.ts';
import type { Replay } from '../execute/replay.ts';
import type { RunParts, RunSettings } from '../execute/run-state.ts';
import type { Inventory } from '../inventory/model.ts';
import { Emitter } from '../journal/emitter.ts';
import type { Masker } from '../journal/masker.ts';
import type { Playbook } from '../playbook/model.ts';
import type { Registry } from '../playbook/registry.ts';
import type { Reporter } from '../report/reporter.ts';
import { checkArgs } from '../validate/args.ts';
import { canAsk } from './ask.ts';
import { hostKeyChecking } from './host-keys.ts';
import { Person } from './person.ts';

export interface Assembly {
  playbook: Playbook;
  inventory: Inventory;
  modules: Registry;
  settings: RunSettings;
  sinks: EventSink[];
  masker: Masker;
  yes: boolean;
  reporter: Reporter;
  hostKeyChecking: string | undefined;
  /** Of the run. */
  id: string;
  keep?: KeepText;
  readArtefact?: (path: string) => string;
  recorded?: RunParts['recorded'];
  /** Set when an earlier run goes on: what it has done, and its last event. */
  replay?: Replay;
  last?: RunEvent | undefined;
}

/** Everything a run is made of, from what the command line says. Whoever calls this closes `connections`. */
export async function assemble(assembly: Assembly): Promise<RunParts> {
  const { playbook, inventory, modules, settings, sinks, masker } = assembly;
  const interrupt = new Interrupt();
  const person = new Person(
    (work) => assembly.reporter.apart(work),
    () => interrupt.press(),
  );
  const emitter = new Emitter(assembly.id, sinks, masker, assembly.last);
  const connections = await openConnections(assembly.hostKeyChecking, person, (message) => {
    emitter.emit({ type: 'notice', level: 'warning', message });
  });
  return {
    playbook,
    inventory,
    modules,
    settings,
    emitter,
    masker,
    connections,
    checkArgs,
    confirm: person.confirmer(assembly.yes),
    interrupt,
    ...(canAsk() ? { ask: (question: string) => person.ask(question) } : {}),
    ...(assembly.keep ? { keep: assembly.keep } : {}),
    ...(assembly.readArtefact ? { readArtefact: assembly.readArtefact } : {}),
    ...(assembly.recorded ? { recorded: assembly.recorded } : {}),
    ...(assembly.replay ? { replay: assembly.replay } : {}),
  };
}

/** Connections that ask `person` where the command line and the inventory leave it open. */
export async function openConnections(
  checking: string | undefined,
  person: Person,
  warn: (message: string) => void,
): Promise<Connections> {
  const { createConnections } = await import('../connect/connections.ts');
  return createConnections({ ...hostKeyChecking(checking), ...person.connectionQuestions(), warn });
}

/** `20260102-030405678-1a2b3c`: sorts by time (UTC, to the millisecond), and two runs of one moment differ. */
export function runId(startedAt: Date): string {
  const [date, time] = startedAt
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .split('T');
  return `${date}-${time}-${randomBytes(3).toString('hex')}`;
}
