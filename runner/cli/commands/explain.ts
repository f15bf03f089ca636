import { relative } from 'node:path';
import { modules } from '../../../modules/index.ts';
import { EXIT, InvalidError, type Place, ReeveError } from '../../errors.ts';
import { CONNECTION_VARIABLES } from '../../execute/connection-spec.ts';
import { groupBySettings, type Setting } from '../../inventory/explain.ts';
import type { Inventory, VariableLayer } from '../../inventory/model.ts';
import { asWritten } from '../../inventory/show.ts';
import { nearestName } from '../../language/nearest.ts';
import { layeredScope } from '../../language/scope.ts';
import type { Opener } from '../../load/opener.ts';
import { loadDocument } from '../../load/parse.ts';
import type { Playbook } from '../../playbook/model.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import { readExtraVars } from '../extra-vars.ts';
import { openSources } from '../open-inventory.ts';
import { inventorySources, text, texts } from '../options.ts';
import { UsageError } from '../report-error.ts';
import { openSecrets } from '../secrets.ts';

const SECRET_NAMES = new Set<string>(
  Object.values(CONNECTION_VARIABLES).flatMap((row): readonly string[] => ('secret' in row ? row.names : [])),
);
const MOST_HOSTS = 4;

/** `reeve explain VAR [--host H]`: the value of a variable, and every place that set it, the winner marked. */
export async function explain(name: string, options: Record<string, unknown>): Promise<number> {
  const sources = await inventorySources(options.inventory);
  if (sources.length === 0) throw new UsageError('there is no inventory', 'give one with -i');
  const file = text(options.playbook, '--playbook');
  const secrets = openSecrets(options);
  const { playbook, inventory, extraVars } = await secrets.load(async () => {
    const playbook = file === undefined ? undefined : readPlaybook(file, secrets);
    const more = { playbookDirectory: playbook?.directory, opener: secrets };
    const inventory = await openSources(sources, options, more);
    return { playbook, inventory, extraVars: readExtraVars(texts(options.extraVars), secrets) };
  });
  secrets.keepClosed();
  const host = text(options.host, '--host');
  const hosts = host === undefined ? inventory.match('all') : inventory.match(host);
  const given = extraVars.findLast((one) => one.name === name);
  const found = groupBySettings(inventory, name, hosts, (each) => layersAbove(inventory, playbook, each));
  if (found.length === 0 && !given) throw notSet(name, inventory, hosts);
  const extra = given && { from: given.from, value: given.text ?? given.value };
  if (options.json === true)
    console.log(
      JSON.stringify(
        found.map((group) => asJson(inventory, name, group, extra)),
        undefined,
        2,
      ),
    );
  else console.log(found.map((group) => drawn(inventory, name, group, extra)).join('\n\n') || drawnExtra(name, extra!));
  return EXIT.done;
}

interface Extra {
  from: string;
  value: unknown;
}

interface Group {
  hosts: string[];
  settings: Setting[];
}

function readPlaybook(file: string, opener: Opener): Playbook {
  const { playbook, diagnostics } = parsePlaybook(loadDocument(file, { opener }), modules, opener);
  if (playbook) return playbook;
  throw new InvalidError(diagnostics);
}

/** What a playbook says on top of the inventory, for plays that are about this host. */
function layersAbove(inventory: Inventory, playbook: Playbook | undefined, host: string): VariableLayer[] {
  if (!playbook) return [];
  const none = layeredScope([]);
  const plays = playbook.plays.filter(({ hosts }) => {
    try {
      return [hosts.render(none)].flat().some((pattern) => inventory.match(String(pattern)).includes(host));
    } catch {
      // A template, or a name of another inventory: it may be this host.
      return true;
    }
  });
  return [
    { origin: 'vars of the playbook', definitions: playbook.vars },
    ...plays.map((play) => ({ origin: `vars of the play ${play.name}`, definitions: play.vars })),
  ];
}

function drawn(inventory: Inventory, name: string, group: Group, extra: Extra | undefined): string {
  const rows = group.settings.map(({ level, place, definition }) => [
    level,
    placeText(place),
    shown(name, definition.value),
  ]);
  if (extra) rows.push([extra.from, '', shown(name, extra.value)]);
  const wide = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  const [levels, places] = [wide(0), wide(1)];
  const lines = rows.map(([level, place, value], index) => {
    const mark = index === rows.length - 1 ? '→' : ' ';
    return `  ${mark} ${level!.padEnd(levels)}  ${place!.padEnd(places)}  ${value}`;
  });
  return [`${name} on ${hostsText(group.hosts)} = ${valueText(inventory, name, group, extra)}`, ...lines].join('\n');
}

function drawnExtra(name: string, { from, value }: Extra): string {
  return `${name} = ${shown(name, value)}\n  → ${from}`;
}

function hostsText(hosts: readonly string[]): string {
  const rest = hosts.length - MOST_HOSTS;
  return rest <= 1 ? hosts.join(', ') : `${hosts.slice(0, MOST_HOSTS).join(', ')} and ${rest} more`;
}

/** The value as a run sees it, for the first of the hosts; why there is none when it cannot be rendered. */
function valueText(inventory: Inventory, name: string, group: Group, extra: Extra | undefined): string {
  if (extra) return shown(name, extra.value);
  if (SECRET_NAMES.has(name)) return '(secret)';
  try {
    return shown(name, rendered(inventory, group));
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    return `(${error.message})`;
  }
}

function rendered(inventory: Inventory, { hosts, settings }: Group): unknown {
  const host = hosts[0]!;
  const special = { inventory_hostname: host, host: { name: host, groups: inventory.hosts.get(host)!.groups } };
  const layers = inventory.layersOf(host).map(({ definitions }) => definitions);
  return settings.at(-1)!.definition.compiled.render(layeredScope([special, ...layers.reverse()]));
}

function shown(name: string, value: unknown): string {
  if (SECRET_NAMES.has(name)) return '(secret)';
  const line = JSON.stringify(asWritten(value, true)) ?? 'null';
  if (line.startsWith('{"__ansible_vault"')) return '(encrypted with ansible-vault)';
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}

function asJson(inventory: Inventory, name: string, group: Group, extra: Extra | undefined): object {
  const places = group.settings.map(({ level, place, definition }) => ({
    level,
    place: placeText(place),
    value: shown(name, definition.value),
  }));
  const all = extra ? [...places, { level: extra.from, place: '', value: shown(name, extra.value) }] : places;
  return { variable: name, hosts: group.hosts, value: valueText(inventory, name, group, extra), places: all };
}

function placeText({ file, line, column }: Place): string {
  const near = relative(process.cwd(), file);
  return `${near.startsWith('..') ? file : near}:${line}:${column}`;
}

function notSet(name: string, inventory: Inventory, hosts: readonly string[]): ReeveError {
  const names = new Set(
    hosts.flatMap((host) => inventory.layersOf(host).flatMap((layer) => Object.keys(layer.definitions))),
  );
  const near = nearestName(name, [...names]);
  return new ReeveError('unknown-variable', `nothing sets the variable ${name} for ${hostsText(hosts)}`, {
    hint: near ? `did you mean ${near}?` : '`reeve inventory --list` shows every variable',
    exitCode: EXIT.invalid,
  });
}
