import { type Diagnostic, InvalidError, ReeveError } from '../../errors.ts';
import { compileExpression, type Expression } from '../../language/expression.ts';
import { type LayeredScope, layeredScope } from '../../language/scope.ts';
import { isUnknown } from '../../language/unknown.ts';
import type { Document, Path } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import type { InventoryBuilder } from '../builder.ts';
import { readJsonInventory } from '../json-inventory.ts';
import type { Construct } from '../load.ts';
import type { Inventory } from '../model.ts';
import { safeGroupName } from './group-name.ts';
import { pluginOptions } from './options.ts';

const EXPRESSION: JsonSchema = { type: ['string', 'boolean', 'number'] };
const OPTIONS: Record<string, JsonSchema> = {
  plugin: { type: 'string', description: 'Name of the plugin.' },
  strict: {
    type: 'boolean',
    default: false,
    description: 'A host without a value that an expression needs is an error.',
  },
  use_vars_plugins: { type: 'boolean', description: 'Accepted; group_vars and host_vars are always seen.' },
  leading_separator: {
    type: 'boolean',
    default: true,
    description: 'Begin a group without prefix with the separator.',
  },
  compose: {
    type: 'object',
    additionalProperties: EXPRESSION,
    description: 'Variables by name, each a CEL expression.',
  },
  groups: { type: 'object', additionalProperties: EXPRESSION, description: 'Groups by name, each a CEL condition.' },
  keyed_groups: {
    type: 'array',
    description: 'Groups named after values.',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['key'],
      properties: {
        key: { type: 'string', description: 'CEL expression: text, a list of texts, or a mapping.' },
        prefix: { type: 'string', default: '', description: 'What the name begins with.' },
        separator: { type: 'string', default: '_', description: 'Stands between prefix and value.' },
        parent_group: { type: 'string', description: 'Group that these are children of.' },
        default_value: { type: 'string', description: 'Used for an empty value.' },
        trailing_separator: { type: 'boolean', description: 'False: no separator behind the key of an empty value.' },
      },
    },
  },
};

interface KeyedGroup {
  key: string;
  prefix: string;
  separator: string;
  parent_group?: string;
  default_value?: string;
  trailing_separator?: boolean;
}

interface ConstructedOptions {
  strict: boolean;
  leading_separator: boolean;
  compose?: Record<string, string | boolean | number>;
  groups?: Record<string, string | boolean | number>;
  keyed_groups?: KeyedGroup[];
}

/**
 * Groups and variables made of what the sources before it gave: `groups` by condition, `keyed_groups` by value,
 * `compose` variables, all in CEL.
 * @throws InvalidError for wrong options and expressions.
 */
export function constructed(document: Document): Construct {
  const options = pluginOptions<ConstructedOptions>(document, OPTIONS);
  const compiled = compile(document, options);
  return (inventory, builder) => new Construction(document, options, compiled, builder).run(inventory);
}

interface CompiledOptions {
  compose: [string, Expression][];
  groups: [string, Expression][];
  keyed: [KeyedGroup, Expression][];
}

function compile(document: Document, options: ConstructedOptions): CompiledOptions {
  const diagnostics: Diagnostic[] = [];
  const at = (path: Path, text: unknown): Expression | undefined => {
    try {
      return compileExpression(String(text), document.textPlace(path));
    } catch (error) {
      if (!(error instanceof ReeveError)) throw error;
      const hint = /\||\bis\b/.test(String(text))
        ? 'conditions are CEL here, not Jinja: `"x" in list`, `has(a.b)`'
        : error.hint;
      const { code, message, place } = error;
      diagnostics.push({ code, severity: 'error', message, ...(place ? { place } : {}), ...(hint ? { hint } : {}) });
      return undefined;
    }
  };
  const all = (section: 'compose' | 'groups') =>
    Object.entries(options[section] ?? {}).map(
      ([name, text]) => [name, at([section, name], text)!] as [string, Expression],
    );
  const made: CompiledOptions = {
    compose: all('compose'),
    groups: all('groups'),
    keyed: (options.keyed_groups ?? []).map((keyed, index) => [keyed, at(['keyed_groups', index, 'key'], keyed.key)!]),
  };
  if (diagnostics.length > 0) throw new InvalidError(diagnostics);
  return made;
}

class Construction {
  readonly #document: Document;
  readonly #options: ConstructedOptions;
  readonly #compiled: CompiledOptions;
  readonly #builder: InventoryBuilder;
  readonly #diagnostics: Diagnostic[] = [];

  constructor(document: Document, options: ConstructedOptions, compiled: CompiledOptions, builder: InventoryBuilder) {
    this.#document = document;
    this.#options = options;
    this.#compiled = compiled;
    this.#builder = builder;
  }

  run(inventory: Inventory): Diagnostic[] {
    for (const host of [...inventory.hosts.keys()]) this.#host(host, inventory);
    return this.#diagnostics;
  }

  #host(host: string, inventory: Inventory): void {
    const layers = inventory.layersOf(host).map(({ definitions }) => definitions);
    const { groups } = inventory.hosts.get(host)!;
    const special = {
      host: { name: host, groups: [...groups] },
      inventory_hostname: host,
      group_names: groups.slice(1).sort(),
    };
    const composed: Record<string, unknown> = {};
    const before = layeredScope([special, ...layers.reverse()]);
    for (const [name, expression] of this.#compiled.compose) {
      const value = this.#value(expression, before);
      if (value !== undefined) composed[name] = value;
    }
    this.#add(
      { ungrouped: { hosts: [host] }, _meta: { hostvars: { [host]: composed } } },
      Object.keys(composed).length > 0,
    );
    const scope = before.extend(composed);
    for (const [name, expression] of this.#compiled.groups) {
      if (this.#value(expression, scope) === true) this.#add({ [safeGroupName(name)]: { hosts: [host] } });
    }
    for (const [keyed, expression] of this.#compiled.keyed) this.#keyed(host, keyed, this.#value(expression, scope));
  }

  /** Undefined when the host lacks something that the expression needs. */
  #value(expression: Expression, scope: LayeredScope): unknown {
    try {
      const value = expression.evaluate(scope);
      return isUnknown(value) ? undefined : value;
    } catch (error) {
      if (!(error instanceof ReeveError)) throw error;
      if (this.#options.strict) {
        const { code, message, place } = error;
        this.#diagnostics.push({ code, severity: 'error', message, ...(place ? { place } : {}) });
      }
      return undefined;
    }
  }

  #keyed(host: string, keyed: KeyedGroup, value: unknown): void {
    for (const name of keyedNames(keyed, value)) {
      const separator = keyed.prefix === '' && !this.#options.leading_separator ? '' : keyed.separator;
      const group = safeGroupName(`${keyed.prefix}${separator}${name}`);
      this.#add({ [group]: { hosts: [host] } });
      if (keyed.parent_group) this.#add({ [safeGroupName(keyed.parent_group)]: { hosts: [], children: [group] } });
    }
  }

  #add(json: Record<string, unknown>, isWanted = true): void {
    if (isWanted) this.#diagnostics.push(...readJsonInventory(json, this.#document.file, this.#builder));
  }
}

function keyedNames(
  { separator, default_value: fallback, trailing_separator: trailing }: KeyedGroup,
  value: unknown,
): string[] {
  const orDefault = (text: string) => (text === '' && fallback !== undefined ? fallback : text);
  if (Array.isArray(value)) return value.map((item) => orDefault(String(item)));
  if (value === undefined || value === null || value === false) return [];
  if (typeof value !== 'object') return [orDefault(String(value))].filter((name) => name !== '');
  return Object.entries(value).map(([key, item]) => {
    const text = orDefault(String(item));
    return text === '' && trailing === false ? key : `${key}${separator}${text}`;
  });
}
