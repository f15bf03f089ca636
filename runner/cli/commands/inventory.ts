import { EXIT, ReeveError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { hostVariables, inventoryGraph, inventoryList } from '../../inventory/show.ts';
import { nearestName } from '../../language/nearest.ts';
import { inventorySources, text } from '../options.ts';
import { UsageError } from '../report-error.ts';
import { openSecrets } from '../secrets.ts';

/** `reeve inventory --list|--graph|--host NAME`. */
export async function inventory(options: Record<string, unknown>): Promise<number> {
  const sources = await inventorySources(options.inventory);
  if (sources.length === 0) throw new UsageError('there is no inventory', 'give one with -i');
  const secrets = openSecrets(options);
  secrets.keepClosed();
  const loaded = await secrets.load(() => loadInventory(sources, undefined, secrets));
  const host = text(options.host, '--host');
  if (host !== undefined) {
    if (!loaded.hosts.has(host)) throw unknownHost(host, [...loaded.hosts.keys()]);
    console.log(JSON.stringify(hostVariables(loaded, host), undefined, 2));
  } else if (options.list) console.log(JSON.stringify(inventoryList(loaded), undefined, 2));
  else if (options.graph) console.log(inventoryGraph(loaded));
  else throw new UsageError('say what to show', 'one of --list, --graph, --host NAME');
  return EXIT.done;
}

function unknownHost(name: string, hosts: string[]): ReeveError {
  const near = nearestName(name, hosts);
  return new ReeveError('unknown-host', `${name} is no host of this inventory`, {
    ...(near ? { hint: `did you mean ${near}?` } : {}),
    exitCode: EXIT.invalid,
  });
}
