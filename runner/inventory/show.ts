import { Definition } from '../language/definition.ts';
import { Raw } from '../language/raw.ts';
import type { LayeredScope } from '../language/scope.ts';
import { layeredScope } from '../language/scope.ts';
import { Sealed } from '../language/sealed.ts';
import type { Group, Inventory, VariableLayer } from './model.ts';

/** What ansible-inventory leaves out: names that Ansible itself sets. */
const INTERNAL = new Set([
  ...['diff_mode', 'config_file', 'facts', 'forks', 'inventory_sources', 'limit', 'playbook_python', 'run_tags'].map(
    (name) => `ansible_${name}`,
  ),
  ...['ansible_skip_tags', 'ansible_verbosity', 'ansible_version', 'inventory_dir', 'inventory_file'],
  ...['inventory_hostname', 'inventory_hostname_short', 'groups', 'group_names', 'omit', 'playbook_dir'],
]);

type Shown = Record<string, unknown>;

/** The variables of one host as the inventory gives them; a template that cannot be rendered stays as it is written. */
export function hostVariables(inventory: Inventory, host: string): Shown {
  return shownLayers(inventory.layersOf(host));
}

/** Only what is set for the host itself, for exports in which groups keep their own. */
function ownHostVariables(inventory: Inventory, host: string): Shown {
  return shownLayers(inventory.layersOf(host).filter(({ origin }) => /^host(?:_vars)? /.test(origin)));
}

function groupVariables(inventory: Inventory, { name, priority }: Group): Shown {
  const variables = shownLayers(inventory.ownLayersOf(name));
  return priority === 1 ? variables : { ...variables, ansible_group_priority: priority };
}

function shownLayers(layers: readonly VariableLayer[]): Shown {
  const scope = layeredScope(layers.map((layer) => layer.definitions).reverse());
  const names = [...scope.names()].filter((name) => !INTERNAL.has(name)).sort();
  return Object.fromEntries(names.map((name) => [name, shownValue(scope, name)]));
}

function shownValue(scope: LayeredScope, name: string): unknown {
  const found = scope.find(name);
  if (!(found instanceof Definition)) return found;
  // Ansible shows its templates and what it encrypted as they are written.
  if (found.isForeign) return asWritten(found.value, true);
  try {
    return scope.get(name);
  } catch {
    // It needs names that only a run has (facts, inputs).
    return asWritten(found.value);
  }
}

/** A value as JSON can show it. */
export function asWritten(value: unknown, isForeign = false): unknown {
  if (value instanceof Sealed) return value.toJSON();
  if (value instanceof Raw) return isForeign ? { __ansible_unsafe: value.text } : value.text;
  if (Array.isArray(value)) return value.map((item) => asWritten(item, isForeign));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asWritten(item, isForeign)]));
}

/**
 * The JSON that `ansible-inventory --list` gives: a key a group, and every host's variables under `_meta`.
 * @param isExport groups keep their variables, and hosts show only their own.
 */
export function inventoryList(inventory: Inventory, isExport = false): Shown {
  const groups = [...inventory.groups.values()].map((group) => {
    const hosts = group.name === 'all' ? [] : group.hosts;
    const vars = isExport ? groupVariables(inventory, group) : {};
    const entry = {
      ...(group.children.length > 0 ? { children: group.children } : {}),
      ...(hosts.length > 0 ? { hosts } : {}),
      ...(Object.keys(vars).length > 0 ? { vars } : {}),
    };
    return [group.name, entry] as const;
  });
  const variables = isExport ? ownHostVariables : hostVariables;
  const hostvars = inventory
    .hostsOf('all')
    .map((host) => [host, variables(inventory, host)] as const)
    .filter(([, shown]) => Object.keys(shown).length > 0);
  const shown = groups.filter(([, entry]) => Object.keys(entry).length > 0);
  return { _meta: { hostvars: Object.fromEntries(hostvars) }, ...Object.fromEntries(shown) };
}

/** Groups and hosts as a tree, in the form of `ansible-inventory --graph`. */
export function inventoryGraph(inventory: Inventory, start = 'all'): string {
  const lines: string[] = [];
  const draw = (name: string, depth: number): void => {
    lines.push(`${'  |'.repeat(depth)}${depth > 0 ? '--' : ''}@${name}:`);
    const group = inventory.groups.get(name);
    for (const child of group?.children ?? []) draw(child, depth + 1);
    const hosts = name === 'all' ? [] : (group?.hosts ?? []);
    for (const host of hosts) lines.push(`${'  |'.repeat(depth + 1)}--${host}`);
  };
  draw(start, 0);
  return lines.join('\n');
}

/** Groups and hosts as a Mermaid flow chart; hosts of a group that has more than `most` are counted instead. */
export function inventoryMermaid(inventory: Inventory, most = 20): string {
  const ids = new Map<string, string>();
  const id = (kind: string, name: string) => {
    const key = `${kind} ${name}`;
    if (!ids.has(key)) ids.set(key, `${kind}${ids.size}`);
    return ids.get(key)!;
  };
  const label = (text: string) => `"${text.replaceAll('"', '#quot;')}"`;
  const lines = ['flowchart LR'];
  for (const { name, children, hosts } of inventory.groups.values()) {
    if (name === 'ungrouped' && hosts.length === 0) continue;
    const group = id('g', name);
    lines.push(`  ${group}([${label(name)}])`);
    for (const child of children) {
      if (child !== 'ungrouped' || inventory.hostsOf('ungrouped').length > 0)
        lines.push(`  ${group} --> ${id('g', child)}`);
    }
    if (name === 'all') continue;
    if (hosts.length > most) lines.push(`  ${group} --> ${id('n', name)}[${label(`${hosts.length} hosts`)}]`);
    else for (const host of hosts) lines.push(`  ${group} --> ${id('h', host)}[${label(host)}]`);
  }
  return lines.join('\n');
}
