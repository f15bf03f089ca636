import type { Diagnostic } from '../errors.ts';
import { nearestName } from '../language/nearest.ts';
import type { Document, Path } from '../load/document.ts';
import { parseAddress } from './address.ts';
import { readPriority } from './ansible/priority.ts';
import { type GroupDraft, type InventoryBuilder, setVariables, type Variables } from './builder.ts';
import { definitionsAt, REEVE, type ValueDialect } from './definitions.ts';
import { expandRanges } from './ranges.ts';

const GROUP_KEYS = ['hosts', 'children', 'vars'];

/** Reads an inventory in reeve's dialect (`reeve: 1`, then groups in Ansible's shape) into the builder. */
export function readInventory(document: Document, builder: InventoryBuilder, dialect = REEVE): Diagnostic[] {
  const reader = new Reader(document, builder, dialect);
  const top = document.value as Record<string, unknown>;
  for (const [name, body] of Object.entries(top)) {
    if (name !== 'reeve') reader.group(name, body, [name]);
  }
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

  group(name: string, body: unknown, path: Path): void {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
      this.#error(
        'invalid-group',
        `"${name}" cannot be the name of a group`,
        path,
        'letters, digits, _ - and . are fine',
      );
      return;
    }
    const group = this.#builder.group(name, () => this.#document.place(path, 'key'));
    if (body === null || body === undefined) return;
    if (!isMapping(body)) {
      this.#error('expected-mapping', `the group ${name} takes a mapping with hosts, children and vars`, path);
      return;
    }
    for (const [key, value] of Object.entries(body)) {
      const at = [...path, key];
      if (key === 'hosts') this.#hosts(group, value, at);
      else if (key === 'children') this.#children(group, value, at);
      else if (key === 'vars') this.#vars(group, value, at);
      else this.#unknownKey(name, key, at);
    }
  }

  #unknownKey(group: string, key: string, path: Path): void {
    const near = nearestName(key, GROUP_KEYS);
    const hint = near ? `did you mean ${near}?` : 'a group holds hosts, children and vars';
    this.#error('unknown-key', `the group ${group} has no key "${key}"`, path, hint);
  }

  #hosts(group: GroupDraft, value: unknown, path: Path): void {
    for (const [written, variables] of this.#entries(value, path, 'hosts')) {
      const at = [...path, written];
      if (!this.#isHostName(written, at)) continue;
      const names = expandRanges(written);
      if ('problem' in names) {
        this.#error('invalid-range', names.problem, at);
        continue;
      }
      for (const name of names) {
        group.hosts.add(name);
        const host = this.#builder.host(name);
        if (isMapping(variables)) setVariables(host.variables, this.#definitions(at, variables, `host ${name}`));
        else if (variables !== null && variables !== undefined) {
          this.#error('expected-mapping', `the host ${written} takes a mapping of variables`, at);
        }
      }
    }
  }

  #isHostName(written: string, at: Path): boolean {
    const port = written.includes(':') ? parseAddress(written)?.port : undefined;
    if (port !== undefined)
      this.#error('invalid-host', `the port of ${written} is a variable of the host`, at, `\`ssh_port: ${port}\``);
    else if (!/^\S+$/.test(written))
      this.#error('invalid-host', `"${written}" cannot be the name of a host`, at, 'a name has no spaces');
    else return true;
    return false;
  }

  #children(group: GroupDraft, value: unknown, path: Path): void {
    for (const [name, body] of this.#entries(value, path, 'children')) {
      group.children.add(name);
      this.group(name, body, [...path, name]);
    }
  }

  #vars(group: GroupDraft, value: unknown, path: Path): void {
    if (isMapping(value)) {
      const { ansible_group_priority: priority, ...variables } = value;
      if (priority !== undefined) this.#priority(group, priority, [...path, 'ansible_group_priority']);
      setVariables(group.variables, this.#definitions(path, variables, `group ${group.name}`));
    } else if (value !== null) this.#error('expected-mapping', `vars of the group ${group.name} takes a mapping`, path);
  }

  #definitions(path: Path, mapping: Record<string, unknown>, origin: string): Variables {
    return definitionsAt(this.#document, path, mapping, origin, this.#dialect);
  }

  #priority(group: GroupDraft, value: unknown, path: Path): void {
    const number = readPriority(value);
    if (number === undefined) this.#error('invalid-priority', 'the priority of a group is a whole number', path);
    else group.priority = number;
  }

  #entries(value: unknown, path: Path, what: string): [string, unknown][] {
    if (value === null || value === undefined) return [];
    if (isMapping(value)) return Object.entries(value);
    const hint = Array.isArray(value) ? `write "name:" on a line of its own for each, without the dash` : undefined;
    this.#error('expected-mapping', `${what} takes a mapping`, path, hint);
    return [];
  }

  #error(code: string, message: string, path: Path, hint?: string): void {
    const place = this.#document.place(path, 'key');
    this.diagnostics.push({ code, severity: 'error', message, place, ...(hint === undefined ? {} : { hint }) });
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
