import { join } from 'node:path';
import { type Diagnostic, EXIT, InvalidError, ReeveError } from '../errors.ts';
import type { Opener } from '../load/opener.ts';
import { InventoryBuilder } from './builder.ts';
import { findCycles } from './cycles.ts';
import type { Dialect } from './dialect.ts';
import { type JsonInventory, readJsonInventory } from './json-inventory.ts';
import type { Inventory } from './model.ts';
import { readHostList, readInventoryFile } from './read-source.ts';
import { ResolvedInventory, type VariableFolders } from './resolve.ts';
import { findSources, type Source } from './sources.ts';
import { VariableFiles } from './variable-files.ts';

/** A plugin that makes groups and variables of what the sources before it gave. */
export type Construct = (inventory: Inventory, builder: InventoryBuilder) => Diagnostic[];

export interface InventoryOptions {
  /** Where group_vars and host_vars beside the playbook are looked for. */
  playbookDirectory?: string | undefined;
  /** Opens what is encrypted; without it such files are errors, such values when they are used. */
  opener?: Opener | undefined;
  /** What programs and plugins gave, by their file; openInventory fetches it. */
  fetched?: ReadonlyMap<string, JsonInventory | Construct> | undefined;
}

/**
 * Loads an inventory from its sources in order: files, directories of files, or lists of hosts (`web1,web2,`).
 * Programs and plugins must have been fetched: see openInventory.
 *
 * @param sources as given by `-i`.
 * @throws InvalidError with every error found; ReeveError `inventory-missing`.
 */
export function loadInventory(sources: readonly string[], options: InventoryOptions | string = {}): Inventory {
  return assembleInventory(
    sources,
    findSources(sources),
    typeof options === 'string' ? { playbookDirectory: options } : options,
  );
}

/** As loadInventory, of sources that were found already. */
export function assembleInventory(
  given: readonly string[],
  found: readonly Source[],
  options: InventoryOptions,
): Inventory {
  const loading = new Loading(given, options);
  for (const source of found) loading.add(source);
  return loading.finish();
}

class Loading {
  readonly #builder = new InventoryBuilder();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #given: readonly string[];
  readonly #options: InventoryOptions;
  /** Folders of sources, in order, and the dialects of the files in them. */
  readonly #folders = new Map<string, Set<Dialect>>();

  constructor(given: readonly string[], options: InventoryOptions) {
    this.#given = given;
    this.#options = options;
  }

  add(source: Source): void {
    if (source.kind === 'hosts') {
      this.#diagnostics.push(...readHostList(source.text, this.#builder));
      return;
    }
    const { file, folder } = source;
    const dialects = this.#folders.get(folder) ?? new Set();
    this.#folders.set(folder, dialects);
    if (source.kind === 'file') {
      const { dialect, diagnostics } = readInventoryFile(file, this.#builder, this.#options.opener);
      this.#diagnostics.push(...diagnostics);
      dialects.add(dialect);
      return;
    }
    if (source.kind === 'program') dialects.add('ansible');
    this.#addFetched(file);
  }

  #addFetched(file: string): void {
    const fetched = this.#options.fetched?.get(file);
    if (fetched === undefined) {
      throw new ReeveError('inventory-not-fetched', `${file} has to be run or asked before it can be read`, {
        exitCode: EXIT.unexpected,
      });
    }
    if (typeof fetched !== 'function') this.#diagnostics.push(...readJsonInventory(fetched, file, this.#builder));
    else if (!this.#failed()) {
      // What is wrong with groups so far is reported at the end.
      if (findCycles(this.#builder).length > 0) return;
      const sofar = new ResolvedInventory(this.#builder, this.#variableFolders(), []);
      this.#diagnostics.push(...fetched(sofar, this.#builder));
    }
  }

  finish(): Inventory {
    this.#diagnostics.push(...findCycles(this.#builder));
    if (this.#failed()) throw new InvalidError(this.#diagnostics);
    const folders = this.#variableFolders();
    const warnings: Diagnostic[] = [];
    const inventory = new ResolvedInventory(this.#builder, folders, [...this.#given], warnings);
    // Reading every file now shows every error before anything runs.
    for (const name of inventory.groups.keys()) for (const files of folders.groups) files.of(name);
    for (const name of inventory.hosts.keys()) for (const files of folders.hosts) files.of(name);
    this.#diagnostics.push(...[...folders.groups, ...folders.hosts].flatMap((files) => files.diagnostics));
    if (this.#failed()) throw new InvalidError(this.#diagnostics);
    warnings.push(...this.#diagnostics);
    return inventory;
  }

  /** Beside the sources, in their order, then beside the playbook. */
  #variableFolders(): VariableFolders {
    const folders = [...this.#folders].map(([folder, dialects]) => [folder, folderDialect(dialects)] as const);
    const { playbookDirectory, opener } = this.#options;
    const all = new Set([...this.#folders.values()].flatMap((dialects) => [...dialects]));
    if (playbookDirectory !== undefined && !this.#folders.has(playbookDirectory)) {
      folders.push([playbookDirectory, folderDialect(all)]);
    }
    const files = (kind: string) =>
      folders.map(([folder, fallback]) => new VariableFiles(join(folder, kind), { fallback, opener }));
    return { groups: files('group_vars'), hosts: files('host_vars') };
  }

  #failed(): boolean {
    return this.#diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  }
}

/** Files beside an inventory are in its dialect; one file in reeve's dialect is enough for that. */
function folderDialect(dialects: ReadonlySet<Dialect>): Dialect {
  return dialects.has('ansible') && !dialects.has('reeve') ? 'ansible' : 'reeve';
}
