import type { LayeredScope } from '../language/scope.ts';
import { layeredScope } from '../language/scope.ts';
import type { Inventory } from './model.ts';

/** The variables of one host as the inventory gives them; a template that cannot be rendered stays as it is written. */
export function hostVariables(inventory: Inventory, host: string): Record<string, unknown> {
  const layers = inventory.layersOf(host).map((layer) => layer.definitions);
  const scope = layeredScope([...layers].reverse());
  return Object.fromEntries([...scope.names()].sort().map((name) => [name, shownValue(scope, name, layers)]));
}

function shownValue(scope: LayeredScope, name: string, layers: readonly Record<string, { value: unknown }>[]): unknown {
  try {
    return scope.get(name);
  } catch {
    // It needs names that only a run has (facts, inputs): show what was written.
    return layers.findLast((layer) => name in layer)?.[name]?.value;
  }
}

/** The JSON that `ansible-inventory --list` gives: a key a group, and every host's variables under `_meta`. */
export function inventoryList(inventory: Inventory): Record<string, unknown> {
  const groups = [...inventory.groups.values()].map((group) => {
    const hosts = group.name === 'all' ? [] : group.hosts;
    const entry = {
      ...(group.children.length > 0 ? { children: group.children } : {}),
      ...(hosts.length > 0 ? { hosts } : {}),
    };
    return [group.name, entry] as const;
  });
  const hostvars = Object.fromEntries(
    [...inventory.hosts.keys()].map((host) => [host, hostVariables(inventory, host)]),
  );
  const shown = groups.filter(([name, entry]) => name === 'all' || Object.keys(entry).length > 0);
  return { _meta: { hostvars }, ...Object.fromEntries(shown) };
}

/** Groups and hosts as a tree, in the form of `ansible-inventory --graph`. */
export function inventoryGraph(inventory: Inventory): string {
  const lines: string[] = [];
  const draw = (name: string, depth: number): void => {
    lines.push(`${'  |'.repeat(depth)}${depth > 0 ? '--' : ''}@${name}:`);
    const group = inventory.groups.get(name);
    for (const child of group?.children ?? []) draw(child, depth + 1);
    const hosts = name === 'all' ? [] : (group?.hosts ?? []);
    for (const host of hosts) lines.push(`${'  |'.repeat(depth + 1)}--${host}`);
  };
  draw('all', 0);
  return lines.join('\n');
}
