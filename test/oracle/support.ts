import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openSources } from '../../runner/cli/open-inventory.ts';
import type { Inventory } from '../../runner/inventory/model.ts';
import type { Case } from './corpus.ts';

/** Writes the files of a case into a new folder. */
export function writeCase(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-oracle-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (text.startsWith('#!')) chmodSync(path, 0o755);
  }
  return folder;
}

/** The values of `-i`, lists of hosts as they are and files below the folder. */
export function sourcesOf({ files, inventory }: Pick<Case, 'files' | 'inventory'>, folder: string): string[] {
  const given = inventory ?? [Object.keys(files)[0]!];
  return given.map((source) => (source.includes(',') ? source : join(folder, source)));
}

export function openCase(sources: readonly string[], playbookDirectory?: string): Promise<Inventory> {
  return openSources(sources, {}, { playbookDirectory });
}

/** `-i a -i b` */
export function inventoryArguments(sources: readonly string[]): string[] {
  return sources.flatMap((source) => ['-i', source]);
}

/** The host names that `ansible --list-hosts` prints. */
export function listedHosts(stdout: string): string[] {
  return stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
