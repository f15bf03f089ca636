import type { JsonInventory } from '../json-inventory.ts';

type Variables = Record<string, unknown>;

/**
 * What a plugin found, with the variables that its file gives: put in after the answer was kept, since there may be
 * secrets among them.
 */
export function addVariables(found: JsonInventory, given: (host: string) => Variables | undefined): JsonInventory {
  const { hostvars } = found._meta as { hostvars: Record<string, Variables> };
  const all = Object.entries(hostvars).map(([host, own]) => [host, { ...own, ...given(host) }]);
  return { ...found, _meta: { hostvars: Object.fromEntries(all) } };
}
