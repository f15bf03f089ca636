import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Diagnostic, EXIT, InvalidError, ReeveError } from '../errors.ts';
import type { Opener } from '../load/opener.ts';
import { loadDocument } from '../load/parse.ts';
import { InventoryBuilder } from './builder.ts';
import type { Inventory } from './model.ts';
import { expandRanges } from './ranges.ts';
import { readInventory } from './reeve-yaml.ts';
import { findCycles, ResolvedInventory } from './resolve.ts';
import { VariableFiles } from './variable-files.ts';

/** Names in a directory of sources that are no sources themselves. */
const NOT_SOURCES = /^(group_vars|host_vars)$|^\.|~$|\.(orig|bak|md|txt|cfg)$/;

/**
 * Loads an inventory from its sources in order: files, directories of files, or lists of hosts (`web1,web2,`).
 *
 * @param sources as given by `-i`.
 * @param playbookDirectory where group_vars and host_vars beside the playbook are looked for.
 * @param opener opens what is encrypted; without it such files are errors.
 * @throws InvalidError with every error found; ReeveError `inventory-missing`.
 */
export function loadInventory(sources: readonly string[], playbookDirectory?: string, opener?: Opener): Inventory {
  const builder = new InventoryBuilder();
  const diagnostics: Diagnostic[] = [];
  const folders = new Set<string>();
  for (const source of sources) {
    if (source.includes(',')) addHostList(source, builder, diagnostics);
    else for (const file of filesOf(source, folders)) diagnostics.push(...readFile(file, builder, opener));
  }
  if (playbookDirectory !== undefined) folders.add(playbookDirectory);
  const groups = [...folders].map((folder) => new VariableFiles(join(folder, 'group_vars'), opener));
  const hosts = [...folders].map((folder) => new VariableFiles(join(folder, 'host_vars'), opener));
  diagnostics.push(...findCycles(builder));
  const errors = () => diagnostics.filter((d) => d.severity === 'error').length > 0;
  if (errors()) throw new InvalidError(diagnostics);
  const inventory = new ResolvedInventory(builder, { groups, hosts }, [...sources]);
  // Reading every file now shows every error before anything runs.
  for (const name of inventory.groups.keys()) for (const files of groups) files.of(name);
  for (const name of inventory.hosts.keys()) for (const files of hosts) files.of(name);
  diagnostics.push(...[...groups, ...hosts].flatMap((files) => files.diagnostics));
  if (errors()) throw new InvalidError(diagnostics);
  return inventory;
}

function addHostList(source: string, builder: InventoryBuilder, diagnostics: Diagnostic[]): void {
  for (const written of source.split(',').map((part) => part.trim())) {
    if (written === '') continue;
    const names = expandRanges(written);
    if ('problem' in names)
      diagnostics.push({ code: 'invalid-range', severity: 'error', message: `-i ${source}: ${names.problem}` });
    else for (const name of names) builder.host(name);
  }
}

function filesOf(source: string, folders: Set<string>): string[] {
  const info = statSync(source, { throwIfNoEntry: false });
  if (!info) {
    throw new ReeveError('inventory-missing', `the inventory ${source} does not exist`, {
      hint: 'give a file or a directory; a list of hosts needs a comma: `-i host1,`',
      exitCode: EXIT.invalid,
    });
  }
  if (!info.isDirectory()) {
    folders.add(dirname(source));
    return [source];
  }
  folders.add(source);
  return readdirSync(source)
    .sort()
    .filter((name) => !NOT_SOURCES.test(name))
    .map((name) => join(source, name))
    .filter((path) => statSync(path).isFile());
}

function readFile(file: string, builder: InventoryBuilder, opener: Opener | undefined): Diagnostic[] {
  try {
    const document = loadDocument(file, opener ? { opener } : {});
    const value = document.value as Record<string, unknown> | null;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      const message = 'an inventory takes a mapping of groups';
      return [{ code: 'expected-mapping', severity: 'error', message, place: document.place([]) }];
    }
    if (value.reeve !== 1) {
      const message = 'this inventory does not say that it is written for reeve';
      return [
        {
          code: 'inventory-dialect',
          severity: 'error',
          message,
          place: document.place([]),
          hint: 'put `reeve: 1` on its first line',
        },
      ];
    }
    return readInventory(document, builder);
  } catch (error) {
    if (error instanceof InvalidError) return error.diagnostics;
    throw error;
  }
}
