import { assembleInventory } from '../inventory/load.ts';
import type { Inventory } from '../inventory/model.ts';
import { findSources } from '../inventory/sources.ts';
import type { Opener } from '../load/opener.ts';

/**
 * Opens the inventory of a command: programs and plugins among its sources are asked, and what that needs is loaded
 * only then.
 * @throws InvalidError, ReeveError.
 */
export async function openSources(
  sources: readonly string[],
  options: Record<string, unknown>,
  more: { playbookDirectory?: string | undefined; opener?: Opener | undefined } = {},
): Promise<Inventory> {
  const found = findSources(sources);
  if (found.every(({ kind }) => kind === 'file' || kind === 'hosts')) {
    return assembleInventory(sources, found, more);
  }
  const { join } = await import('node:path');
  const { homedir } = await import('node:os');
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const { fetchSources } = await import('../inventory/dynamic/fetch.ts');
  const fetched = await fetchSources(found, {
    environment: process.env,
    opener: more.opener,
    cacheFolder: join(cache, 'reeve', 'inventory'),
    refresh: options.refreshInventory === true,
  });
  return assembleInventory(sources, found, { ...more, fetched });
}
