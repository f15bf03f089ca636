import type { Place } from '../errors.ts';
import type { Definition } from '../language/types.ts';
import { overriddenDefinitions } from './builder.ts';
import type { Inventory, VariableLayer } from './model.ts';

/** One place that sets a variable. */
export interface Setting {
  /** `group servers`, `host_vars k3s-1`, `vars of the playbook` */
  level: string;
  place: Place;
  definition: Definition;
}

/**
 * Every place that sets a variable for a host, the weakest first: the last one wins.
 * @param above layers that are stronger than the inventory's (playbook, play), weakest first.
 */
export function settingsOf(
  inventory: Inventory,
  host: string,
  name: string,
  above: readonly VariableLayer[] = [],
): Setting[] {
  return [...inventory.layersOf(host), ...above].flatMap(({ origin, definitions }) => {
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (!definition) return [];
    const all = [...overriddenDefinitions(definitions, name), definition];
    return all.map((one) => ({ level: origin, place: one.where, definition: one }));
  });
}

/** Hosts for which the same places set a variable, in the order of the inventory. */
export function groupBySettings(
  inventory: Inventory,
  name: string,
  hosts: readonly string[],
  above: (host: string) => readonly VariableLayer[],
): { hosts: string[]; settings: Setting[] }[] {
  const groups = new Map<string, { hosts: string[]; settings: Setting[] }>();
  for (const host of hosts) {
    const settings = settingsOf(inventory, host, name, above(host));
    if (settings.length === 0) continue;
    const key = settings.map(({ level, place }) => `${level} ${place.file}:${place.line}:${place.column}`).join('\n');
    const known = groups.get(key);
    if (known) known.hosts.push(host);
    else groups.set(key, { hosts: [host], settings });
  }
  return [...groups.values()];
}
