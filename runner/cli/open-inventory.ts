import { assembleInventory } from '../inventory/load.ts';
import type { Inventory } from '../inventory/model.ts';
import { findSources } from '../inventory/sources.ts';

/**
 * Opens the inventory of a command: programs and plugins among its sources are asked, which is loaded only then.
 * @throws InvalidError, ReeveError.
 */
export async function openSources(
  sources: readonly string[],
  _options: Record<string, unknown>,
  playbookDirectory?: string,
): Promise<Inventory> {
  const found = findSources(sources);
  return assembleInventory(sources, found, { playbookDirectory });
}
