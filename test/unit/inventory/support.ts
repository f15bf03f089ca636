import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Diagnostic, InvalidError, ReeveError } from '../../../runner/errors.ts';
import { type FetchOptions, fetchSources } from '../../../runner/inventory/dynamic/fetch.ts';
import { assembleInventory, type InventoryOptions, loadInventory } from '../../../runner/inventory/load.ts';
import type { Inventory } from '../../../runner/inventory/model.ts';
import { findSources } from '../../../runner/inventory/sources.ts';

/** Files in a new folder that is gone after the test; a text that begins with `#!` may be run. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-inventory-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    if (text.startsWith('#!')) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** The inventory of one file, by default an INI. */
export function inventoryOf(text: string, name = 'hosts', options: InventoryOptions = {}): Inventory {
  return loadInventory([join(folderWith({ [name]: text }), name)], options);
}

/** Opens sources of a folder, programs and plugins too. */
export async function openAll(
  folder: string,
  names: readonly string[],
  options: Partial<FetchOptions> = {},
): Promise<Inventory> {
  const given = names.map((name) => join(folder, name));
  const found = findSources(given);
  const fetched = await fetchSources(found, { environment: {}, ...options });
  return assembleInventory(given, found, { fetched });
}

/** What an action finds fault with. */
export function faultsOf(action: () => unknown): Diagnostic[] {
  try {
    action();
  } catch (error) {
    return faults(error);
  }
  expect.unreachable('there was no error');
}

export async function faultsOfAsync(action: () => Promise<unknown>): Promise<Diagnostic[]> {
  const error = await action().then(
    () => expect.unreachable('there was no error'),
    (thrown: unknown) => thrown,
  );
  return faults(error);
}

function faults(error: unknown): Diagnostic[] {
  if (error instanceof InvalidError) return error.diagnostics;
  if (!(error instanceof ReeveError)) throw error;
  const { code, message, place, hint } = error;
  return [{ code, severity: 'error', message, ...(place ? { place } : {}), ...(hint ? { hint } : {}) }];
}

/** `3:7 invalid-variable` */
export function placesOf(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code, place }) => `${place?.line}:${place?.column} ${code}`);
}
