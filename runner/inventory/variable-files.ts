import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../errors.ts';
import { InvalidError } from '../errors.ts';
import type { Opener } from '../load/opener.ts';
import { loadDocument } from '../load/parse.ts';
import type { Variables } from './builder.ts';
import { definitionsAt } from './definitions.ts';

const ENDINGS = ['', '.yml', '.yaml', '.json'];

/** Variables of one group or host from a folder such as `group_vars`: files and directories of that name, read in order. */
export class VariableFiles {
  readonly diagnostics: Diagnostic[] = [];
  readonly #folder: string;
  readonly #opener: Opener | undefined;
  readonly #read = new Map<string, Variables | undefined>();
  readonly #present: Set<string>;

  constructor(folder: string, opener?: Opener) {
    this.#folder = folder;
    this.#opener = opener;
    this.#present = new Set(existsSync(folder) ? readdirSync(folder) : []);
  }

  /** Undefined when there is no file for this name. */
  of(name: string): Variables | undefined {
    if (this.#present.size === 0) return undefined;
    if (!this.#read.has(name)) this.#read.set(name, this.#load(name));
    return this.#read.get(name);
  }

  #load(name: string): Variables | undefined {
    const paths = ENDINGS.filter((ending) => this.#present.has(name + ending)).map((e) => join(this.#folder, name + e));
    const files = paths.flatMap(filesBelow);
    if (files.length === 0) return undefined;
    const variables: Variables = Object.create(null);
    for (const file of files) Object.assign(variables, this.#file(file));
    return variables;
  }

  #file(file: string): Variables {
    try {
      const document = loadDocument(file, { allowEmpty: true, ...(this.#opener ? { opener: this.#opener } : {}) });
      const { value } = document;
      if (value === null || value === undefined) return {};
      if (typeof value === 'object' && !Array.isArray(value)) {
        return definitionsAt(document, [], value as Record<string, unknown>, file);
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
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => {
      const inner = join(path, name);
      return statSync(inner).isDirectory() || ENDINGS.some((e) => e !== '' && name.endsWith(e))
        ? filesBelow(inner)
        : [];
    });
}
