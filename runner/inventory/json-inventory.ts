import type { Diagnostic, Place } from '../errors.ts';
import { toPlain } from '../language/access.ts';
import type { Compiled } from '../language/deep.ts';
import { Definition, type DefinitionSite } from '../language/definition.ts';
import { PlainData } from '../language/jinja.ts';
import { Sealed } from '../language/sealed.ts';
import { textSomewhereIn } from '../language/text-place.ts';
import { readPriority } from './ansible/priority.ts';
import { type InventoryBuilder, setVariable, type Variables } from './builder.ts';

/** What programs and plugins give: Ansible's JSON for dynamic inventories. */
export type JsonInventory = Record<string, unknown>;

type Mapping = Record<string, unknown>;

/**
 * Reads what a dynamic source gave into the builder. Its values are data: never rendered.
 * @param file the program or the plugin's file, which is all that can be said of places.
 */
export function readJsonInventory(json: JsonInventory, file: string, builder: InventoryBuilder): Diagnostic[] {
  const reader = new Reader(file, builder);
  const { _meta, ...groups } = json;
  for (const [name, body] of Object.entries(groups)) reader.group(name, body);
  reader.hostVariables(_meta);
  return reader.diagnostics;
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #place: Place;
  readonly #site: DefinitionSite;
  readonly #builder: InventoryBuilder;
  readonly #hosts = new Set<string>();

  constructor(file: string, builder: InventoryBuilder) {
    const place = { file, line: 1, column: 1 };
    this.#place = place;
    this.#site = {
      origin: file,
      isForeign: true,
      where: () => place,
      locate: () => textSomewhereIn(place),
      // Never rendered, whatever it looks like.
      compile: (value) => (holdsSealed(value) ? new SealedData(value) : new PlainData(value)),
    };
    this.#builder = builder;
  }

  group(name: string, body: unknown): void {
    const group = this.#builder.group(name, () => this.#place);
    const { hosts, vars, children } = sections(name, body);
    if (hosts !== undefined && !Array.isArray(hosts)) this.#error(`the hosts of ${name} must be a list`);
    else
      for (const host of hosts ?? []) {
        if (typeof host !== 'string') {
          this.#error(`a host of ${name} is no text: ${JSON.stringify(host)}`);
          continue;
        }
        this.#hosts.add(host);
        this.#builder.host(host);
        group.hosts.add(host);
      }
    if (vars !== undefined && !isMapping(vars)) this.#error(`the variables of ${name} must be a mapping`);
    else
      for (const [key, value] of Object.entries(vars ?? {})) {
        if (key === 'ansible_group_priority') group.priority = readPriority(value) ?? group.priority;
        else this.#set(group.variables, key, value);
      }
    if (children !== undefined && !Array.isArray(children)) this.#error(`the children of ${name} must be a list`);
    for (const child of Array.isArray(children) ? children : []) {
      this.#builder.group(String(child), () => this.#place);
      group.children.add(String(child));
    }
  }

  /** Only for hosts that a group names, as Ansible does. */
  hostVariables(meta: unknown): void {
    const byHost = (isMapping(meta) ? meta.hostvars : meta) ?? {};
    if (!isMapping(byHost)) this.#error('`_meta.hostvars` must be a mapping of hosts');
    for (const host of isMapping(byHost) ? this.#hosts : []) {
      const given = (byHost as Mapping)[host];
      if (given === undefined || given === null) continue;
      if (!isMapping(given)) this.#error(`the variables of the host ${host} must be a mapping`);
      else for (const [key, value] of Object.entries(given)) this.#set(this.#builder.host(host).variables, key, value);
    }
  }

  #set(variables: Variables, name: string, value: unknown): void {
    setVariable(variables, name, new Definition({ value, site: this.#site, key: name }));
  }

  #error(message: string): void {
    this.diagnostics.push({ code: 'invalid-source', severity: 'error', message, place: this.#place });
  }
}

/** Data with secrets in it, which are opened when it is used. */
class SealedData implements Compiled {
  readonly isStatic = false;
  readonly references = [];
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  render(): unknown {
    return toPlain(this.#value);
  }
}

function holdsSealed(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  return value instanceof Sealed || Object.values(value).some(holdsSealed);
}

function sections(name: string, body: unknown): { hosts?: unknown; vars?: unknown; children?: unknown } {
  if (!isMapping(body)) return { hosts: body };
  // Without these keys the mapping is a host of the group's name, with variables.
  return 'hosts' in body || 'vars' in body || 'children' in body ? body : { hosts: [name], vars: body };
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
