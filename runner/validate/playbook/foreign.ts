import { type Diagnostic, ReeveError } from '../../errors.ts';
import type { Inventory, VariableLayer } from '../../inventory/model.ts';
import { isMapping } from '../../language/access.ts';
import type { Definition } from '../../language/definition.ts';
import { isJinja } from '../../language/jinja.ts';
import { layeredScope } from '../../language/scope.ts';
import { diagnosticOf } from '../../playbook/context.ts';

type Layer = VariableLayer['definitions'];

/**
 * Variables of the inventory that one of the hosts could not use: files of Ansible's dialect may hold Jinja, and using that is
 * an error. Found before anything runs, with the place of the definition.
 */
export function unusableNames(inventory: Inventory, hosts: Iterable<string>): Map<string, Diagnostic> {
  const found = new Map<string, Diagnostic>();
  const jinja = new Map<Layer, Set<string>>();
  for (const host of hosts) {
    const layers = inventory.layersOf(host).map(({ definitions }) => definitions);
    for (const [index, layer] of layers.entries()) {
      const names = jinja.get(layer) ?? jinjaNames(layer);
      jinja.set(layer, names);
      for (const name of names) {
        const isOverridden = layers.slice(index + 1).some((later) => Object.hasOwn(later, name));
        if (!isOverridden && !found.has(name)) found.set(name, whyUnusable(layer[name]!, name, host));
      }
    }
  }
  return found;
}

function jinjaNames(layer: Layer): Set<string> {
  const names = Object.keys(layer).filter((name) => layer[name]!.isForeign && holdsJinja(layer[name]!.value));
  return new Set(names);
}

function holdsJinja(value: unknown): boolean {
  if (typeof value === 'string') return isJinja(value);
  if (Array.isArray(value)) return value.some(holdsJinja);
  return isMapping(value) && Object.values(value).some(holdsJinja);
}

function whyUnusable(definition: Definition, name: string, host: string): Diagnostic {
  const message = `the variable \`${name}\` is a Jinja template on ${host}; it cannot be used here`;
  const related = [{ message: 'it is defined here', place: definition.where }];
  try {
    definition.compiled.render(layeredScope([]));
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'jinja-value')
      return { ...diagnosticOf(error), message, related };
  }
  return { code: 'jinja-value', severity: 'error', message, related };
}
