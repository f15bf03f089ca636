import type { Diagnostic, Place } from '../../errors.ts';
import type { Compiled, Locate } from '../../language/deep.ts';
import { Definition, type DefinitionSite } from '../../language/definition.ts';
import { compileForeign } from '../../language/jinja.ts';
import type { TextPlace } from '../../language/text-place.ts';
import { LineIndex } from '../../load/line-index.ts';
import { type GroupDraft, type HostDraft, type InventoryBuilder, setVariable } from '../builder.ts';
import { readHostNames } from '../host-names.ts';
import { readPriority } from './priority.ts';
import { iniValue } from './python-literal.ts';
import { shellWords } from './shell-words.ts';

// As Ansible reads them (lib/ansible/plugins/inventory/ini.py, core 2.14).
const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;
const GROUP_NAME = /^([^:\]\s]+)\s*(?:#.*)?$/;

type Section = 'hosts' | 'vars' | 'children';

/** A line that needs a group which no section has declared so far. */
interface Pending {
  offset: number;
  message: string;
  parents: GroupDraft[];
}

/** What a value becomes before it is kept. */
type Seal = (value: unknown) => unknown;

/**
 * Reads an inventory in Ansible's INI format into the builder. Gives all that is wrong with it.
 * @param seal of a file that is encrypted as a whole.
 */
export function readIni(
  text: string,
  file: string,
  builder: InventoryBuilder,
  seal: Seal = (value) => value,
): Diagnostic[] {
  return new IniReader(text, file, builder, seal).read();
}

/** Longest name whose value has an exact place. */
const MAX_NAME = 4096;

class IniSite implements DefinitionSite<number> {
  readonly origin: string;
  readonly isForeign = true;
  readonly #lines: LineIndex;

  constructor(lines: LineIndex) {
    this.#lines = lines;
    this.origin = lines.file;
  }

  where(key: number): Place {
    return this.#lines.place(Math.floor(key / MAX_NAME));
  }

  locate(key: number): TextPlace {
    const start = this.#lines.place(Math.floor(key / MAX_NAME) + (key % MAX_NAME));
    return { placeAt: (offset) => ({ ...start, column: start.column + offset }) };
  }

  compile(value: unknown, locate: Locate): Compiled {
    return compileForeign(value, locate);
  }
}

class IniReader {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #lines: LineIndex;
  readonly #builder: InventoryBuilder;
  readonly #site: IniSite;
  readonly #pending = new Map<string, Pending>();
  readonly #seal: Seal;
  #section: Section = 'hosts';
  #group: GroupDraft;

  constructor(text: string, file: string, builder: InventoryBuilder, seal: Seal) {
    this.#seal = seal;
    this.#lines = new LineIndex(text, file);
    this.#site = new IniSite(this.#lines);
    this.#builder = builder;
    this.#group = builder.group('ungrouped');
  }

  read(): Diagnostic[] {
    const { text } = this.#lines;
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      const written = text.slice(start, end);
      const line = written.trim();
      if (line !== '' && line[0] !== '#' && line[0] !== ';') this.#line(line, start + written.indexOf(line));
      start = end + 1;
    }
    this.#checkPending();
    return this.#diagnostics;
  }

  #line(line: string, offset: number): void {
    if (line[0] === '[' && (line.endsWith(']') || SECTION.test(line))) this.#header(line, offset);
    else if (this.#section === 'hosts') this.#hosts(line, offset);
    else if (this.#section === 'vars') this.#variable(line, offset);
    else this.#child(line, offset);
  }

  #header(line: string, offset: number) {
    const match = SECTION.exec(line);
    if (!match) {
      this.#error(
        'invalid-section',
        `${line} is no section`,
        offset,
        line.length,
        '[group], [group:vars] or [group:children], without spaces',
      );
      return;
    }
    const [, name, kind = 'hosts'] = match as unknown as [string, string, string | undefined];
    if (kind !== 'hosts' && kind !== 'vars' && kind !== 'children') {
      this.#error(
        'invalid-section',
        `[${name}:${kind}] is no section`,
        offset,
        line.length,
        'there are [group], [group:vars] and [group:children]',
      );
      this.#section = 'hosts';
      return;
    }
    this.#section = kind;
    const isNew = !this.#builder.groups.has(name);
    this.#group = this.#builder.group(name, () => this.#place(offset, match[0].indexOf(']') + 1));
    const pending = this.#pending.get(name);
    if (kind === 'vars') {
      const message = `[${name}:vars] is for a group that is not there`;
      if (isNew && !pending) this.#pending.set(name, { offset, message, parents: [] });
    } else if (pending) {
      // Children that are declared after their parent come in the order of their declarations.
      for (const parent of pending.parents) parent.children.add(name);
      this.#pending.delete(name);
    }
  }

  #hosts(line: string, offset: number) {
    const words = shellWords(line);
    if ('problem' in words) return this.#error('invalid-host', words.problem, offset + words.at, 1);
    const [first, ...rest] = words;
    if (!first) return;
    const hosts = readHostNames(first.text);
    if ('problem' in hosts) return this.#error('invalid-range', hosts.problem, offset + first.at, first.text.length);
    const problem = nameProblem(first.text, hosts.port);
    if (problem) return this.#error('invalid-host', problem, offset + first.at, first.text.length);
    const variables = rest.map((word) => this.#assignment(word.text, offset + word.at));
    for (const name of hosts.names) {
      const host = this.#host(name, offset, hosts.port);
      this.#group.hosts.add(name);
      for (const made of variables) if (made) setVariable(host.variables, made[0], made[1]);
    }
  }

  #host(name: string, offset: number, port: number | undefined): HostDraft {
    const known = this.#builder.hosts.get(name);
    if (known) return known;
    const host = this.#builder.host(name);
    if (port !== undefined) host.variables.ansible_port = this.#definition(port, offset);
    return host;
  }

  #assignment(text: string, offset: number): [string, Definition] | undefined {
    const equals = text.indexOf('=');
    if (equals < 0) {
      this.#error('invalid-variable', `"${text}" is no variable; it takes name=value`, offset, text.length);
      return undefined;
    }
    return [text.slice(0, equals), this.#definition(iniValue(text.slice(equals + 1)), offset, equals + 1)];
  }

  #variable(line: string, offset: number) {
    const equals = line.indexOf('=');
    if (equals < 0) {
      return this.#error('invalid-variable', `"${line}" is no variable; it takes name=value`, offset, line.length);
    }
    const name = line.slice(0, equals).trim();
    const value = line.slice(equals + 1).trim();
    if (name !== 'ansible_group_priority') {
      const definition = this.#definition(iniValue(value), offset, line.indexOf(value, equals + 1));
      return setVariable(this.#group.variables, name, definition);
    }
    const priority = readPriority(iniValue(value));
    if (priority === undefined)
      this.#error('invalid-priority', `the priority of a group is a whole number, not ${value}`, offset, line.length);
    else this.#group.priority = priority;
  }

  #child(line: string, offset: number) {
    const name = GROUP_NAME.exec(line)?.[1];
    if (name === undefined) return this.#error('invalid-group', `"${line}" is no name of a group`, offset, line.length);
    if (this.#builder.groups.has(name)) {
      this.#group.children.add(name);
      return;
    }
    const message = `[${this.#group.name}:children] names the group ${name}, which is not there`;
    const pending = this.#pending.get(name) ?? { offset, message, parents: [] };
    pending.parents.push(this.#group);
    this.#pending.set(name, pending);
  }

  /** Variables and children of groups that nothing declares are typing mistakes. */
  #checkPending(): void {
    for (const [name, { offset, message }] of this.#pending) {
      this.#error('unknown-group', message, offset, name.length, `declare it with [${name}]`);
    }
  }

  /** `at` counts characters from the start of the assignment to its value. */
  #definition(value: unknown, offset: number, at = 0): Definition {
    const first = this.#lines.text[offset + at];
    const isQuoted = (first === '"' || first === "'") && typeof value === 'string' && !value.startsWith(first);
    // Two numbers in one, since there may be a million of them.
    const key = offset * MAX_NAME + Math.min(isQuoted ? at + 1 : at, MAX_NAME - 1);
    return new Definition({ value: this.#seal(value), site: this.#site, key });
  }

  #place(offset: number, length?: number): Place {
    return this.#lines.place(offset, length === undefined ? undefined : offset + length);
  }

  #error(code: string, message: string, offset: number, length: number, hint?: string): void {
    const place = this.#place(offset, length);
    this.#diagnostics.push({ code, severity: 'error', message, place, ...(hint === undefined ? {} : { hint }) });
  }
}

function nameProblem(written: string, port: number | undefined): string | undefined {
  if (written === '---') return '`---` begins a YAML file, and the rest of this one is INI';
  if (written.endsWith(':') && port === undefined) return `"${written}" ends in a colon, which announces a port`;
  return undefined;
}
