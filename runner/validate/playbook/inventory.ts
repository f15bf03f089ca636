import type { Diagnostic } from '../../errors.ts';
import type { Inventory, VariableLayer } from '../../inventory/model.ts';
import type { Definitions } from '../../playbook/model.ts';
import { whyReserved } from '../../playbook/reserved.ts';
import { CycleSearch } from './cycles.ts';
import { referencesOf } from './definition-references.ts';
import type { Names } from './names.ts';
import { checkReference } from './references.ts';

type Layer = VariableLayer['definitions'];

/** Every mapping of definitions of the inventory, once; hosts share those of their groups. */
export function layersOfAll(inventory: Inventory): Set<Layer> {
  const layers = new Set<Layer>();
  for (const host of inventory.hosts.keys()) {
    for (const { definitions } of inventory.layersOf(host)) layers.add(definitions);
  }
  return layers;
}

/**
 * Reports names that variables of the inventory use and that neither it nor the playbook defines, and variables that
 * nothing can reach. Warnings: another playbook may define the ones, and not use the others.
 */
export function checkInventoryNames(inventory: Inventory, names: Names): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const layer of layersOfAll(inventory)) {
    for (const [name, definition] of Object.entries(layer)) {
      const why = whyReserved(name);
      if (why) found.push({ code: 'reserved-name', severity: 'warning', message: why, place: definition.where });
      for (const reference of referencesOf(definition)) {
        const diagnostic = checkReference(reference, names, { hasInventory: true });
        if (diagnostic) found.push({ ...diagnostic, severity: 'warning' });
      }
    }
  }
  return found;
}

/** Reports variables of the inventory that need each other, for every host that would resolve them so. */
export function checkInventoryCycles(inventory: Inventory): Diagnostic[] {
  const search = new CycleSearch();
  const involved = involvedNames(layersOfAll(inventory));
  const numbers = new Map<Layer, number>();
  const looked = new Set<string>();
  for (const host of inventory.hosts.keys()) {
    const layers = inventory
      .layersOf(host)
      .map(({ definitions }) => definitions)
      .filter((layer) => Object.keys(layer).some((name) => involved.has(name)));
    // Hosts that differ only in what no template is about are one case.
    const key = layers.map((layer) => numberOf(layer, numbers)).join(' ');
    if (key === '' || looked.has(key)) continue;
    looked.add(key);
    search.look(Object.assign({}, ...layers) as Definitions);
  }
  return search.found;
}

/** Names of variables with templates, and names that these use. */
function involvedNames(layers: Iterable<Layer>): Set<string> {
  const names = new Set<string>();
  for (const layer of layers) {
    for (const [name, definition] of Object.entries(layer)) {
      const references = referencesOf(definition);
      if (references.length > 0) names.add(name);
      for (const { path } of references) names.add(path[0] === 'vars' ? (path[1] ?? 'vars') : path[0]!);
    }
  }
  return names;
}

function numberOf(layer: Layer, numbers: Map<Layer, number>): number {
  const known = numbers.get(layer) ?? numbers.size;
  numbers.set(layer, known);
  return known;
}
