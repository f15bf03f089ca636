import { type Layer, type LayeredScope, type LazyMapping, layeredScope, lazyMapping } from '../language/scope.ts';
import type { HostState } from './host-state.ts';
import { hostState, type RunState } from './run-state.ts';

/** Thrown when a template asks for facts that are not there yet; whoever renders gathers them and renders again. */
export class FactsNeeded extends Error {
  readonly host: string;
  constructor(host: string) {
    super(`facts of ${host} are needed`);
    this.host = host;
  }
}

/** Where a step stands: the variables of everything around it, the strongest first, and the loop's names. */
export interface Surroundings {
  /** vars of the task, then of the blocks around it, then of the play. */
  vars: readonly Layer[];
  /** `item`, `index`, `batch` and the like: data. */
  locals: Readonly<Record<string, unknown>>;
}

/** Everything a template or expression of this host may name, the strongest layer first. */
export function hostScope(run: RunState, host: HostState, around: Surroundings): LayeredScope {
  return layeredScope([
    specials(run, host),
    run.settings.extraVars,
    around.locals,
    host.data,
    ...around.vars,
    run.playbook.vars,
    ...inventoryLayers(run, host.name),
  ]);
}

/** The host's variables without those of any play: what `hosts.NAME` and the connection's variables are read from. */
export function plainScope(run: RunState, host: HostState): LayeredScope {
  return hostScope(run, host, { vars: [], locals: {} });
}

function inventoryLayers(run: RunState, host: string): Layer[] {
  if (!run.inventory.hosts.has(host)) return [];
  return run.inventory
    .layersOf(host)
    .map((layer) => layer.definitions)
    .reverse();
}

// One object per run and host: templates ask for these names all the time.
const special = new WeakMap<HostState, Layer>();

function specials(run: RunState, host: HostState): Layer {
  let layer = special.get(host);
  if (!layer) {
    layer = {
      inputs: run.settings.inputs,
      host: hostMapping(run, host),
      hosts: allHosts(run),
      groups: groupsMapping(run),
      run: { id: run.emitter.run, check: run.settings.check, started: run.settings.startedAt.toISOString() },
      inventory_hostname: host.name,
    };
    special.set(host, layer);
  }
  return layer;
}

/** `host`: name, address, groups, facts. */
function hostMapping(run: RunState, host: HostState): LazyMapping {
  const members: Record<string, () => unknown> = {
    name: () => host.name,
    address: () => addressOf(run, host),
    groups: () => [...host.groups],
    facts: () => factsOf(host),
  };
  return lazyMapping({
    get: (name) => members[name]?.(),
    has: (name) => Object.hasOwn(members, name),
    names: () => Object.keys(members),
  });
}

/** The address a host is reached at: `address`, Ansible's name for it, else the host's own name. */
export function addressOf(run: RunState, host: HostState): string {
  const scope = plainScope(run, host);
  return String(scope.get('address') ?? scope.get('ansible_host') ?? host.name);
}

function factsOf(host: HostState): unknown {
  if (!host.facts) throw new FactsNeeded(host.name);
  return host.facts;
}

/** `hosts.NAME`: every variable of that host, and its `name`, `groups` and `facts`. */
function allHosts(run: RunState): LazyMapping {
  const names = run.inventory.hosts;
  return lazyMapping({
    has: (name) => names.has(name),
    names: () => names.keys(),
    get: (name) => hostVariables(run, hostState(run, name)),
  });
}

function hostVariables(run: RunState, host: HostState): LazyMapping {
  const scope = plainScope(run, host);
  const own = hostMapping(run, host);
  const has = (name: string) => own.has(name) || scope.has(name);
  return lazyMapping({
    has,
    names: () => new Set([...scope.names(), ...own.names()]),
    get: (name) => (own.has(name) && !(name === 'address' && scope.has(name)) ? own.get(name) : scope.get(name)),
  });
}

function groupsMapping(run: RunState): LazyMapping {
  return lazyMapping({
    has: (name) => run.inventory.groups.has(name),
    names: () => run.inventory.groups.keys(),
    get: (name) => run.inventory.hostsOf(name),
  });
}
