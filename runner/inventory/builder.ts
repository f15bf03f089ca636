import type { Place } from '../errors.ts';
import type { Definition } from '../language/types.ts';

export type Variables = Record<string, Definition>;

export interface GroupDraft {
  name: string;
  /** Where it was first named; computed when somebody asks. */
  place: (() => Place) | undefined;
  children: Set<string>;
  hosts: Set<string>;
  variables: Variables;
  /** `ansible_group_priority`: of two groups of one depth the higher one wins. */
  priority: number;
}

export interface HostDraft {
  name: string;
  variables: Variables;
}

/** Collects groups and hosts from several sources, in the order they are met; what comes later adds or overrides. */
export class InventoryBuilder {
  readonly groups = new Map<string, GroupDraft>();
  readonly hosts = new Map<string, HostDraft>();

  constructor() {
    this.group('all').children.add('ungrouped');
    this.group('ungrouped');
  }

  group(name: string, place?: () => Place): GroupDraft {
    let group = this.groups.get(name);
    if (!group) {
      group = { name, place, children: new Set(), hosts: new Set(), variables: noVariables(), priority: 1 };
      this.groups.set(name, group);
    }
    group.place ??= place;
    return group;
  }

  host(name: string): HostDraft {
    let host = this.hosts.get(name);
    if (!host) {
      host = { name, variables: noVariables() };
      this.hosts.set(name, host);
    }
    return host;
  }
}

/** No mapping that inherits anything: a variable may be called `constructor`. */
export function noVariables(): Variables {
  return Object.create(null) as Variables;
}

const overridden = new WeakMap<Variables, Map<string, Definition[]>>();

/** Sets a variable; what it had before on this level is remembered, for `explain`. */
export function setVariable(variables: Variables, name: string, definition: Definition): void {
  const before = variables[name];
  if (before) {
    const names = overridden.get(variables) ?? new Map<string, Definition[]>();
    overridden.set(variables, names);
    names.set(name, [...(names.get(name) ?? []), before]);
  }
  variables[name] = definition;
}

/** Sets several variables, as `setVariable` does. */
export function setVariables(variables: Variables, added: Variables): void {
  for (const name in added) setVariable(variables, name, added[name]!);
}

/** What a variable was on the same level before a later file or line set it, the oldest first. */
export function overriddenDefinitions(variables: Variables, name: string): readonly Definition[] {
  return overridden.get(variables)?.get(name) ?? [];
}
