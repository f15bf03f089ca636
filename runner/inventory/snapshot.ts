import type { Inventory, VariableLayer } from './model.ts';
import { asWritten } from './show.ts';

/**
 * An inventory as text: groups, hosts, and every variable as it is written (templates not rendered). Two inventories that
 * mean the same have the same text; layers that hosts share are written once.
 */
export function inventorySnapshot(inventory: Inventory): string {
  const numbers = new Map<VariableLayer['definitions'], number>();
  const layers: unknown[] = [];
  const numberOf = (layer: VariableLayer): number => {
    let number = numbers.get(layer.definitions);
    if (number === undefined) {
      number = layers.push({ origin: layer.origin, variables: written(layer) }) - 1;
      numbers.set(layer.definitions, number);
    }
    return number;
  };
  const hosts = Object.fromEntries(
    [...inventory.hosts.keys()].map((name) => [name, inventory.layersOf(name).map(numberOf)]),
  );
  const groups = Object.fromEntries(
    [...inventory.groups.values()].map(({ name, children, hosts }) => [name, { children, hosts }]),
  );
  return `${JSON.stringify({ groups, layers, hosts }, undefined, 1)}\n`;
}

function written(layer: VariableLayer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(layer.definitions).map(([name, { value }]) => [name, asWritten(value)]));
}
