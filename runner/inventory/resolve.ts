import type { Diagnostic } from '../errors.ts';
import type { GroupDraft, InventoryBuilder } from './builder.ts';
import type { Group, Host, Inventory, VariableLayer } from './model.ts';
import { matchPattern, type PatternNames } from './patterns.ts';
import type { VariableFiles } from './variable-files.ts';

/** Folders with files of variables, weakest first: beside the inventory, then beside the playbook. */
export interface VariableFolders {
  groups: VariableFiles[];
  hosts: VariableFiles[];
}

/** Finds groups that contain themselves. */
export function findCycles(builder: InventoryBuilder): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: string[]): void => {
    if (trail.includes(name)) {
      const cycle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
      const place = builder.groups.get(name)?.place;
      diagnostics.push({
        code: 'group-cycle',
        severity: 'error',
        message: `groups contain each other: ${cycle}`,
        ...(place ? { place } : {}),
      });
      return;
    }
    if (done.has(name)) return;
    for (const child of builder.groups.get(name)?.children ?? []) visit(child, [...trail, name]);
    done.add(name);
  };
  for (const name of builder.groups.keys()) visit(name, []);
  return diagnostics;
}

/** The finished inventory: groups without cycles, each host with all its groups and the layers of its variables. */
export class ResolvedInventory implements Inventory {
  readonly sources: string[];
  readonly hosts = new Map<string, Host>();
  readonly groups = new Map<string, Group>();
  readonly #builder: InventoryBuilder;
  readonly #folders: VariableFolders;
  readonly #members = new Map<string, string[]>();
  readonly #depth = new Map<string, number>();
  readonly #groupLayers = new Map<string, VariableLayer[]>();
  readonly #matches = new Map<string, string[]>();
  readonly #names: PatternNames;

  constructor(builder: InventoryBuilder, folders: VariableFolders, sources: string[]) {
    this.sources = sources;
    this.#builder = builder;
    this.#folders = folders;
    this.#adopt();
    const parents = this.#parents();
    for (const draft of builder.groups.values()) this.groups.set(draft.name, toGroup(draft));
    this.#measure('all', 0);
    for (const draft of builder.hosts.values()) {
      const groups = this.#sorted(parents.get(draft.name) ?? new Set(['all']));
      this.hosts.set(draft.name, { name: draft.name, groups, ...(draft.place ? { place: draft.place } : {}) });
    }
    this.#names = {
      hosts: [...this.hosts.keys()],
      groups: new Set(this.groups.keys()),
      hostsOf: (group) => this.hostsOf(group),
    };
  }

  hostsOf(group: string): string[] {
    let members = this.#members.get(group);
    if (!members) {
      const found = new Set<string>();
      this.#collect(group, found);
      members = [...this.hosts.keys()].filter((name) => found.has(name));
      this.#members.set(group, members);
    }
    return members;
  }

  layersOf(host: string): VariableLayer[] {
    const groups = this.hosts.get(host)?.groups ?? [];
    const layers = [...this.#layersOfGroups(groups)];
    const own = this.#builder.hosts.get(host)?.variables;
    if (own && Object.keys(own).length > 0) layers.push({ origin: `host ${host}`, definitions: own });
    for (const files of this.#folders.hosts) {
      const definitions = files.of(host);
      if (definitions) layers.push({ origin: `host_vars ${host}`, definitions });
    }
    return layers;
  }

  match(pattern: string): string[] {
    let found = this.#matches.get(pattern);
    if (!found) {
      found = matchPattern(pattern, this.#names);
      this.#matches.set(pattern, found);
    }
    return found;
  }

  /** Ansible's order: variables of the inventory's groups, then group_vars of `all`, then those of the other groups. */
  #layersOfGroups(groups: readonly string[]): VariableLayer[] {
    const key = groups.join('\n');
    let layers = this.#groupLayers.get(key);
    if (layers) return layers;
    layers = [];
    const add = (origin: string, definitions: VariableLayer['definitions'] | undefined) => {
      if (definitions && Object.keys(definitions).length > 0) layers!.push({ origin, definitions });
    };
    for (const name of groups) add(`group ${name}`, this.#builder.groups.get(name)?.variables);
    for (const files of this.#folders.groups) add('group_vars all', files.of('all'));
    for (const files of this.#folders.groups) {
      for (const name of groups) if (name !== 'all') add(`group_vars ${name}`, files.of(name));
    }
    this.#groupLayers.set(key, layers);
    return layers;
  }

  /** Groups without a parent belong to `all`; hosts in no other group to `ungrouped`. */
  #adopt(): void {
    const { groups, hosts } = this.#builder;
    const children = new Set([...groups.values()].flatMap((group) => [...group.children]));
    const all = groups.get('all')!;
    for (const name of groups.keys()) if (name !== 'all' && !children.has(name)) all.children.add(name);
    const grouped = new Set(
      [...groups.values()].filter((g) => g.name !== 'all' && g.name !== 'ungrouped').flatMap((g) => [...g.hosts]),
    );
    const ungrouped = groups.get('ungrouped')!;
    for (const name of hosts.keys()) {
      if (grouped.has(name)) ungrouped.hosts.delete(name);
      else ungrouped.hosts.add(name);
    }
  }

  /** Every group each host is in, directly or through a child. */
  #parents(): Map<string, Set<string>> {
    const above = new Map<string, Set<string>>();
    for (const group of this.#builder.groups.values()) {
      for (const child of group.children) above.set(child, (above.get(child) ?? new Set()).add(group.name));
    }
    const ancestors = new Map<string, Set<string>>();
    const climb = (name: string): Set<string> => {
      let found = ancestors.get(name);
      if (!found) {
        found = new Set([name]);
        for (const parent of above.get(name) ?? []) for (const each of climb(parent)) found.add(each);
        ancestors.set(name, found);
      }
      return found;
    };
    const result = new Map<string, Set<string>>();
    for (const group of this.#builder.groups.values()) {
      for (const host of group.hosts) {
        const groups = result.get(host) ?? new Set(['all']);
        for (const name of climb(group.name)) groups.add(name);
        result.set(host, groups);
      }
    }
    return result;
  }

  /** Depth of a group is its longest way from `all`, as in Ansible. */
  #measure(name: string, depth: number): void {
    if ((this.#depth.get(name) ?? -1) >= depth) return;
    this.#depth.set(name, depth);
    for (const child of this.#builder.groups.get(name)?.children ?? []) this.#measure(child, depth + 1);
  }

  #sorted(groups: Set<string>): string[] {
    return [...groups].sort((a, b) => (this.#depth.get(a) ?? 0) - (this.#depth.get(b) ?? 0) || (a < b ? -1 : 1));
  }

  #collect(name: string, found: Set<string>): void {
    const group = this.#builder.groups.get(name);
    if (!group) return;
    if (name === 'all') for (const host of this.#builder.hosts.keys()) found.add(host);
    for (const host of group.hosts) found.add(host);
    for (const child of group.children) this.#collect(child, found);
  }
}

function toGroup(draft: GroupDraft): Group {
  const { name, place } = draft;
  return { name, children: [...draft.children], hosts: [...draft.hosts], ...(place ? { place } : {}) };
}
