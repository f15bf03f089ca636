import type { Diagnostic } from '../../errors.ts';
import type { Inventory, VariableLayer } from '../../inventory/model.ts';
import type { Playbook } from '../../playbook/model.ts';
import type { JsonSchema } from '../../schema-types.ts';

/** What is known of the values behind names: a schema each; `{}` for a value of which nothing is known. */
export type Shapes = Readonly<Record<string, Shape>>;

export interface Shape extends JsonSchema {
  /** Why the value cannot be used although the name is there. */
  unusable?: Diagnostic;
}

/** Nothing is known of the value. */
export const ANYTHING: JsonSchema = {};
const TEXT: JsonSchema = { type: 'string' };

/** The names that templates and expressions can use at one place, the nearest definition first. */
export class Names {
  readonly #shapes: Shapes;
  readonly #outer: Names | undefined;

  constructor(shapes: Shapes, outer?: Names) {
    this.#shapes = shapes;
    this.#outer = outer;
  }

  with(shapes: Shapes): Names {
    return Object.keys(shapes).length === 0 ? this : new Names(shapes, this);
  }

  shape(name: string): Shape | undefined {
    return Object.hasOwn(this.#shapes, name) ? this.#shapes[name] : this.#outer?.shape(name);
  }

  *all(): Generator<string> {
    yield* Object.keys(this.#shapes);
    if (this.#outer) yield* this.#outer.all();
  }
}

/** Names that are there in every play of a playbook. */
export function specialNames(playbook: Playbook, inventory: Inventory | undefined): Shapes {
  const host: JsonSchema = {
    type: 'object',
    properties: { name: TEXT, address: TEXT, groups: { type: 'array' }, facts: ANYTHING },
  };
  return {
    inputs: { type: 'object', additionalProperties: false, properties: playbook.inputs },
    host,
    hosts: inventory ? closed(inventory.hosts.keys(), ANYTHING) : ANYTHING,
    groups: inventory ? closed(inventory.groups.keys(), { type: 'array' }) : ANYTHING,
    run: { type: 'object', properties: { id: TEXT, check: { type: 'boolean' }, started: TEXT } },
    inventory_hostname: TEXT,
  };
}

/** `batch`, in the tasks of a gate. */
export const BATCH_NAMES: Shapes = {
  batch: {
    type: 'object',
    properties: { hosts: { type: 'array' }, number: { type: 'integer' }, of: { type: 'integer' } },
  },
};

/** Names of which nothing but the name is known. */
export function anyShapes(names: Iterable<string>): Shapes {
  return Object.fromEntries([...names].map((name) => [name, ANYTHING]));
}

/** Variables that the inventory defines for any of `hosts`. */
export function inventoryNames(inventory: Inventory | undefined, hosts: Iterable<string>): Shapes {
  const seen = new Set<VariableLayer['definitions']>();
  const names = new Set<string>();
  for (const host of inventory ? hosts : []) {
    for (const { definitions } of inventory!.layersOf(host)) {
      if (seen.has(definitions)) continue;
      seen.add(definitions);
      for (const name of Object.keys(definitions)) names.add(name);
    }
  }
  return anyShapes(names);
}

function closed(names: Iterable<string>, shape: JsonSchema): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries([...names].map((name) => [name, shape])),
  };
}
