import type { Place } from '../errors.ts';
import type { Definition } from '../language/types.ts';

export type Variables = Record<string, Definition>;

export interface GroupDraft {
  name: string;
  place: Place | undefined;
  children: Set<string>;
  hosts: Set<string>;
  variables: Variables;
}

export interface HostDraft {
  name: string;
  place: Place | undefined;
  variables: Variables;
}

/** Collects groups and hosts from several sources, in the order they are met; what comes later adds or overrides. */
export class InventoryBuilder {
  readonly groups = new Map<string, GroupDraft>();
  readonly hosts = new Map<string, HostDraft>();

  constructor() {
    this.group('all');
    this.group('ungrouped');
  }

  group(name: string, place?: Place): GroupDraft {
    let group = this.groups.get(name);
    if (!group) {
      group = { name, place, children: new Set(), hosts: new Set(), variables: Object.create(null) };
      this.groups.set(name, group);
    }
    group.place ??= place;
    return group;
  }

  host(name: string, place?: Place): HostDraft {
    let host = this.hosts.get(name);
    if (!host) {
      host = { name, place, variables: Object.create(null) };
      this.hosts.set(name, host);
    }
    return host;
  }
}
