import type { Diagnostic } from '../../errors.ts';
import type { Document, Path } from '../../load/document.ts';
import { type GroupDraft, type InventoryBuilder, setVariables } from '../builder.ts';
import { definitionsAt, type ValueDialect } from '../definitions.ts';
import { readHostNames } from '../host-names.ts';
import { readPriority } from './priority.ts';

const SECTIONS = ['vars', 'children', 'hosts'] as const;
type Mapping = Record<string, unknown>;

/** Reads a YAML inventory in Ansible's dialect into the builder. Gives errors and warnings. */
export function readAnsibleYaml(document: Document, builder: InventoryBuilder, dialect: ValueDialect): Diagnostic[] {
  const reader = new Reader(document, builder, dialect);
  for (const [name, body] of Object.entries(document.value as Mapping)) reader.group(name, body, [name]);
  return reader.diagnostics;
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #document: Document;
  readonly #builder: InventoryBuilder;
  readonly #dialect: ValueDialect;

  constructor(document: Document, builder: InventoryBuilder, dialect: ValueDialect) {
    this.#document = document;
    this.#builder = builder;
    this.#dialect = dialect;
  }

  group(name: string, body: unknown, path: Path) {
    if (name === '') return this.#report('invalid-group', 'a group needs a name', path);
    if (body !== null && !isMapping(body)) {
      return this.#warn(
        'invalid-group',
        `${name} is left out: a group takes a mapping with hosts, children and vars`,
        path,
      );
    }
    const group = this.#builder.group(name, () => this.#document.place(path, 'key'));
    for (const [key, value] of Object.entries(body ?? {})) this.#section(group, key, value, [...path, key]);
  }

  #section(group: GroupDraft, key: string, value: unknown, path: Path) {
    if (!SECTIONS.includes(key as (typeof SECTIONS)[number])) {
      const hint = 'a group holds hosts, children and vars';
      return this.#warn('unknown-key', `"${key}" of the group ${group.name} is left out`, path, hint);
    }
    // One name may be written without the mapping.
    const mapping = typeof value === 'string' ? { [value]: null } : value;
    const inner = typeof value === 'string' ? path.slice(0, -1) : path;
    if (mapping === null) return;
    if (!isMapping(mapping)) {
      const hint = Array.isArray(value) ? 'write "name:" on a line of its own for each, without the dash' : undefined;
      return this.#report('expected-mapping', `${key} of the group ${group.name} takes a mapping`, path, hint);
    }
    if (key === 'vars') this.#vars(group, mapping, inner);
    else if (key === 'children') this.#children(group, mapping, inner);
    else
      for (const [written, variables] of Object.entries(mapping))
        this.#host(group, written, variables, [...inner, written]);
  }

  #vars(group: GroupDraft, mapping: Mapping, path: Path): void {
    const { ansible_group_priority: priority, ...variables } = mapping;
    if (priority !== undefined) {
      const number = readPriority(priority);
      const at = [...path, 'ansible_group_priority'];
      if (number === undefined) this.#report('invalid-priority', 'the priority of a group is a whole number', at);
      else group.priority = number;
    }
    setVariables(group.variables, definitionsAt(this.#document, path, variables, `group ${group.name}`, this.#dialect));
  }

  #children(group: GroupDraft, mapping: Mapping, path: Path): void {
    for (const [name, body] of Object.entries(mapping)) {
      this.group(name, body, [...path, name]);
      if (this.#builder.groups.has(name)) group.children.add(name);
    }
  }

  #host(group: GroupDraft, written: string, variables: unknown, path: Path) {
    const hosts = readHostNames(written);
    if ('problem' in hosts) return this.#report('invalid-range', hosts.problem, path);
    if (variables !== null && !isMapping(variables) && variables !== '' && variables !== false && variables !== 0) {
      return this.#report('expected-mapping', `the host ${written} takes a mapping of variables`, path);
    }
    const given = isMapping(variables) ? variables : {};
    // One set of definitions serves all hosts of a range.
    const definitions = definitionsAt(this.#document, path, given, `host ${written}`, this.#dialect);
    for (const name of hosts.names) {
      const isNew = !this.#builder.hosts.has(name);
      const host = this.#builder.host(name);
      if (isNew && hosts.port !== undefined) {
        setVariables(host.variables, this.#port(hosts.port, path, name));
      }
      group.hosts.add(name);
      setVariables(host.variables, definitions);
    }
  }

  #port(port: number, path: Path, host: string) {
    return definitionsAt(this.#document, path, { ansible_port: port }, `host ${host}`, this.#dialect);
  }

  #report(code: string, message: string, path: Path, hint?: string, severity: Diagnostic['severity'] = 'error'): void {
    const place = this.#document.place(path, 'key');
    this.diagnostics.push({ code, severity, message, place, ...(hint === undefined ? {} : { hint }) });
  }

  #warn(code: string, message: string, path: Path, hint?: string): void {
    this.#report(code, message, path, hint, 'warning');
  }
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
