import type { Diagnostic } from '../errors.ts';
import type { InventoryBuilder } from './builder.ts';
import type { Group, Host, Inventory, VariableLayer } from './model.ts';
import { matchPattern, type PatternNames } from './patterns.ts';
import type { VariableFiles } from './variable-files.ts';

/** Folders with files of variables, weakest first: beside the inventory, then beside the playbook. */
export interface VariableFolders {
  groups: VariableFiles[];
  hosts: VariableFiles[];
}

/** The finished inventory: groups without cycles, each host with all its groups and the layers of its variables. */
export class ResolvedInventory implements Inventory {
  readonly sources: string[];
  readonly warnings: Diagnostic[];
  readonly hosts = new Map<string, Host>();
  readonly groups = new Map<string, Group>();
  readonly #builder: InventoryBuilder;
  readonly #folders: VariableFolders;
  readonly #members = new Map<string, string[]>();
  readonly #parents: Map<string, string[]>;
  readonly #depth = new Map<string, number>();
  readonly #groupLayers = new Map<string, VariableLayer[]>();
  readonly #matches = new Map<string, string[]>();
  readonly #names: PatternNames;

  constructor(builder: InventoryBuilder, folders: VariableFolders, sources: string[], warnings: Diagnostic[] = []) {
    this.sources = sources;
    this.warnings = warnings;
    this.#builder = builder;
    this.#folders = folders;
    this.#addGroups();
    this.#parents = parentsOf(this.groups);
    this.#addHosts();
    this.#names = {
      hosts: new Set(this.hosts.keys()),
      groups: new Set(this.groups.keys()),
      hostsOf: (group) => this.hostsOf(group),
    };
  }

  hostsOf(group: string): string[] {
    let members = this.#members.get(group);
    if (!members) {
      members = [...new Set(this.#withDescendants(group).flatMap((name) => this.groups.get(name)?.hosts ?? []))];
      this.#members.set(group, members);
    }
    return members;
  }

  layersOf(host: string): VariableLayer[] {
    const layers = [...this.#layersOfGroups(this.hosts.get(host)?.groups ?? [])];
    const own = this.#builder.hosts.get(host)?.variables;
    if (own && hasAny(own)) layers.push({ origin: `host ${host}`, definitions: own });
    for (const files of this.#folders.hosts) {
      const definitions = files.of(host);
      if (definitions) layers.push({ origin: `host_vars ${host}`, definitions });
    }
    return layers;
  }

  ownLayersOf(name: string): VariableLayer[] {
    const own = this.#builder.groups.get(name)?.variables;
    const layers: VariableLayer[] = own && hasAny(own) ? [{ origin: `group ${name}`, definitions: own }] : [];
    for (const files of this.#folders.groups) {
      const definitions = files.of(name);
      if (definitions) layers.push({ origin: `group_vars ${name}`, definitions });
    }
    return layers;
  }

  match(pattern: string | readonly string[]): string[] {
    const key = typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
    let found = this.#matches.get(key);
    if (!found) {
      found = matchPattern(pattern, this.#names);
      this.#matches.set(key, found);
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
      if (definitions && hasAny(definitions)) layers!.push({ origin, definitions });
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
  #addGroups(): void {
    const { groups, hosts } = this.#builder;
    const hasParent = new Set<string>();
    const grouped = new Set<string>();
    for (const group of groups.values()) {
      for (const child of group.children) hasParent.add(child);
      if (group.name !== 'all' && group.name !== 'ungrouped') for (const host of group.hosts) grouped.add(host);
    }
    for (const { name, children, hosts: own, priority } of groups.values()) {
      const group: Group = { name, children: [...children], hosts: [...own], priority };
      this.groups.set(name, group);
    }
    const all = this.groups.get('all')!;
    for (const name of groups.keys()) if (name !== 'all' && !hasParent.has(name)) all.children.push(name);
    const ungrouped = this.groups.get('ungrouped')!;
    const alone = [...hosts.keys()].filter((name) => !grouped.has(name));
    ungrouped.hosts = [...new Set([...ungrouped.hosts.filter((name) => !grouped.has(name)), ...alone])];
  }

  #addHosts(): void {
    const direct = new Map<string, string[]>();
    for (const group of this.groups.values()) {
      for (const host of group.hosts) {
        const groups = direct.get(host);
        if (groups) groups.push(group.name);
        else direct.set(host, [group.name]);
      }
    }
    const sorted = new Map<string, string[]>();
    for (const { name } of this.#builder.hosts.values()) {
      const own = direct.get(name) ?? [];
      const key = own.join('\n');
      const groups = sorted.get(key) ?? this.#sorted(own);
      sorted.set(key, groups);
      this.hosts.set(name, { name, groups });
    }
  }

  /** These groups and all above them: by depth, then priority, then name. Hosts of the same groups share the list. */
  #sorted(direct: readonly string[]): string[] {
    const found = new Set<string>(['all']);
    const add = (name: string) => {
      if (found.has(name)) return;
      found.add(name);
      for (const parent of this.#parents.get(name) ?? []) add(parent);
    };
    for (const name of direct) add(name);
    const rank = (name: string) => this.groups.get(name)?.priority ?? 1;
    return [...found].sort((a, b) => this.#depthOf(a) - this.#depthOf(b) || rank(a) - rank(b) || (a < b ? -1 : 1));
  }

  /** Depth of a group is its longest way from `all`, as in Ansible. */
  #depthOf(name: string): number {
    let depth = this.#depth.get(name);
    if (depth === undefined) {
      const parents = name === 'all' ? [] : (this.#parents.get(name) ?? []);
      depth = parents.length === 0 ? 0 : 1 + Math.max(...parents.map((parent) => this.#depthOf(parent)));
      this.#depth.set(name, depth);
    }
    return depth;
  }

  /** A group and all below it, level by level: the order in which Ansible lists hosts. */
  #withDescendants(group: string): string[] {
    const found = new Set<string>();
    let level = this.groups.has(group) ? [group] : [];
    while (level.length > 0) {
      for (const name of level) found.add(name);
      level = level.flatMap((name) => this.groups.get(name)?.children ?? []).filter((name) => !found.has(name));
    }
    return [...found];
  }
}

function parentsOf(groups: ReadonlyMap<string, Group>): Map<string, string[]> {
  const parents = new Map<string, string[]>();
  for (const group of groups.values()) {
    for (const child of group.children) {
      const known = parents.get(child);
      if (known) known.push(group.name);
      else parents.set(child, [group.name]);
    }
  }
  return parents;
}

function hasAny(definitions: VariableLayer['definitions']): boolean {
  for (const _name in definitions) return true;
  return false;
}
