import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Diagnostic } from '../errors.ts';
import { InvalidError } from '../errors.ts';
import { namesIn, statOf } from '../load/read-folder.ts';
import { noVariables, setVariables, type Variables } from './builder.ts';
import { definitionsAt } from './definitions.ts';
import { type ReadOptions, readVariablesDocument } from './dialect.ts';

const ENDINGS = ['', '.yml', '.yaml', '.json'];

/** Variables of one group or host from a folder such as `group_vars`: files and directories of that name, read in order. */
export class VariableFiles {
  readonly diagnostics: Diagnostic[] = [];
  readonly #folder: string;
  readonly #options: ReadOptions;
  readonly #read = new Map<string, Variables | undefined>();
  readonly #present: Set<string>;

  constructor(folder: string, options: ReadOptions) {
    this.#folder = folder;
    this.#options = { ...options, warn: (warning) => this.diagnostics.push(warning) };
    this.#present = new Set(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? namesIn(folder) : []);
  }

  /** Undefined when there is no file for this name. */
  of(name: string): Variables | undefined {
    if (this.#present.size === 0) return undefined;
    if (!this.#read.has(name)) this.#read.set(name, this.#load(name));
    return this.#read.get(name);
  }

  #load(name: string): Variables | undefined {
    const found = ENDINGS.filter((ending) => this.#present.has(name + ending)).map((e) => join(this.#folder, name + e));
    const files = this.#chosen(found).flatMap((path) => this.#filesBelow(path));
    if (files.length === 0) return undefined;
    const variables = noVariables();
    for (const file of files) setVariables(variables, this.#file(file));
    return variables;
  }

  /** Ansible reads the first form of a name and none of the others; here all of them are read. */
  #chosen(found: string[]): string[] {
    const [first, ...others] = found;
    if (first === undefined || others.length === 0 || this.#options.fallback === 'reeve') return found;
    this.diagnostics.push({
      code: 'ignored-file',
      severity: 'warning',
      message: `${others.join(', ')} is not read, because ${first} is there`,
      place: { file: others[0]!, line: 1, column: 1 },
      hint: 'move it into that folder; Ansible ignores it as well',
    });
    return [first];
  }

  #filesBelow(path: string): string[] {
    try {
      return filesBelow(path);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.diagnostics.push(...error.diagnostics);
      return [];
    }
  }

  #file(file: string): Variables {
    try {
      const { document, dialect } = readVariablesDocument(file, this.#options);
      const { value } = document;
      if (value === null || value === undefined) return {};
      if (typeof value === 'object' && !Array.isArray(value)) {
        const { reeve: _mark, ...mapping } = value as Record<string, unknown>;
        const given = dialect === 'reeve' ? mapping : (value as Record<string, unknown>);
        return definitionsAt(document, [], given, file, { isForeign: dialect === 'ansible' });
      }
      const message = 'a file of variables takes a mapping';
      this.diagnostics.push({ code: 'expected-mapping', severity: 'error', message, place: document.place([]) });
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.diagnostics.push(...error.diagnostics);
    }
    return {};
  }
}

/** The file itself, or every file of variables below a directory, in alphabetical order. */
function filesBelow(path: string): string[] {
  if (!statOf(path).isDirectory()) return [path];
  return namesIn(path)
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => {
      const inner = join(path, name);
      const ending = extname(name);
      if (statOf(inner).isDirectory()) return ending === '' ? filesBelow(inner) : [];
      return ENDINGS.includes(ending) ? [inner] : [];
    });
}
