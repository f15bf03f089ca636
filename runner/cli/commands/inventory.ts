import { EXIT, ReeveError } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import { hostVariables, inventoryGraph, inventoryList, inventoryMermaid } from '../../inventory/show.ts';
import { nearestName } from '../../language/nearest.ts';
import { printDiagnostics } from '../diagnostics.ts';
import { openSources } from '../open-inventory.ts';
import { inventorySources, text } from '../options.ts';
import { UsageError } from '../report-error.ts';
import { openSecrets } from '../secrets.ts';

/** `reeve inventory --list|--graph|--host NAME|--mermaid`. */
export async function inventory(options: Record<string, unknown>): Promise<number> {
  const sources = await inventorySources(options.inventory);
  if (sources.length === 0) throw new UsageError('there is no inventory', 'give one with -i');
  const secrets = openSecrets(options);
  const loaded = await secrets.load(() => openSources(sources, options, { opener: secrets }));
  // What is shown is what is written.
  secrets.keepClosed();
  if (loaded.warnings.length > 0) printDiagnostics(loaded.warnings);
  console.log(shown(loaded, options));
  return EXIT.done;
}

function shown(loaded: Inventory, options: Record<string, unknown>): string {
  const host = text(options.host, '--host');
  if (host !== undefined) {
    if (!loaded.hosts.has(host)) throw unknownHost(host, [...loaded.hosts.keys()]);
    return json(hostVariables(loaded, host));
  }
  if (options.list === true || options.export === true) return json(inventoryList(loaded, options.export === true));
  if (options.graph === true) return inventoryGraph(loaded);
  if (options.mermaid === true) return inventoryMermaid(loaded);
  throw new UsageError('say what to show', 'one of --list, --graph, --mermaid, --host NAME');
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

function unknownHost(name: string, hosts: string[]): ReeveError {
  const near = nearestName(name, hosts);
  return new ReeveError('unknown-host', `${name} is no host of this inventory`, {
    ...(near ? { hint: `did you mean ${near}?` } : {}),
    exitCode: EXIT.invalid,
  });
}
