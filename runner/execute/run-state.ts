import type { Connections } from '../connect/types.ts';
import type { Diagnostic, ReeveError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import type { Inventory } from '../inventory/model.ts';
import type { Emitter } from '../journal/emitter.ts';
import type { Masker } from '../journal/masker.ts';
import type { Scope } from '../language/types.ts';
import type { Located } from '../load/document.ts';
import type { AnyModule } from '../module.ts';
import type { Playbook } from '../playbook/model.ts';
import type { Slices } from '../slices.ts';
import type { Clusters } from './cluster-access.ts';
import type { Lock } from './held-lock.ts';
import { HostState } from './host-state.ts';
import type { Interrupt } from './interrupt.ts';
import type { KeepText } from './recorded-value.ts';
import type { Replay } from './replay.ts';
import type { Semaphore } from './semaphore.ts';

/** Checks rendered arguments against the strict schema and fills in defaults. */
export type CheckArgs = (
  module: AnyModule,
  args: unknown,
  at: Located,
) => { args: Record<string, unknown>; diagnostics: Diagnostic[] };

export interface RunSettings {
  check: boolean;
  diff: boolean;
  forks: number;
  /** Host pattern that narrows every play. */
  limit?: string;
  tags: string[];
  skipTags: string[];
  /** Values of the playbook's inputs, checked and with defaults. */
  inputs: Record<string, unknown>;
  /** `-e` values that are no inputs: stronger than any variable. */
  extraVars: Record<string, unknown>;
  startedAt: Date;
  /** Locks to take beside the playbook's own. */
  locks?: string[];
  /** milliseconds to wait for a lock that another run has; without it such a run is refused. */
  lockWait?: number;
  /** What happens when hosts failed in a play, where the play does not say it. */
  onFailure?: 'stop' | 'rollback' | 'pause';
  /** A person gave this one task: see ReadTarget. */
  byHand?: boolean;
}

/** What a run is made of; everything that the engine does not build itself comes in here. */
export interface RunParts {
  playbook: Playbook;
  inventory: Inventory;
  modules: ReadonlyMap<string, AnyModule>;
  settings: RunSettings;
  emitter: Emitter;
  masker: Masker;
  connections: Connections;
  checkArgs: CheckArgs;
  /** Asks a person; false when nobody says yes. Throws ReeveError `refused` when there is nobody to ask. */
  confirm: (question: string) => Promise<boolean>;
  /** Asks the person at the terminal for a line; absent when nobody is there. */
  ask?: (question: string) => Promise<string>;
  interrupt: Interrupt;
  /** Keeps a long text as a file of the run; without it long texts are cut in events. */
  keep?: KeepText;
  /** What an earlier run of the same id has done, for going on. */
  replay?: Replay;
  /** Reads an artefact of the run. */
  readArtefact?: (path: string) => string;
  /** The events of the run so far, as its journal has them. */
  recorded?: () => readonly RunEvent[];
}

/** The state of one run. */
export interface RunState extends RunParts {
  hosts: Map<string, HostState>;
  forks: Semaphore;
  /** The event loop's turns between tasks that wait for nothing. */
  slices: Slices;
  throttles: Map<string, Semaphore>;
  clusters: Clusters;
  /** The locks that it holds. */
  locks: Lock[];
  /** Nodes that are not as they should be, by name, and what it is by aspect: `cordon` → `cordoned`. */
  nodes: Map<string, Map<string, string>>;
  /** Check mode: something is planned and not applied, so what follows may differ. */
  pending: { any: boolean };
  /** Check mode: what plans foresee of things that other tasks look at. */
  foreseen: Record<string, unknown>;
  /** The first error that reeve does not understand: the run ends with exit code 1. */
  unexpected?: ReeveError;
  /** A scope without names, for templates that hold none. */
  emptyScope: Scope;
}

/** The state of a host; hosts outside the inventory (`localhost` for the control machine) come into being here. */
export function hostState(run: Pick<RunState, 'hosts' | 'inventory'>, name: string): HostState {
  let state = run.hosts.get(name);
  if (!state) {
    state = new HostState(name, run.inventory.hosts.get(name)?.groups ?? []);
    run.hosts.set(name, state);
  }
  return state;
}
