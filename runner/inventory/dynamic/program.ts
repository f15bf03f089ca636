import { EXIT, ReeveError } from '../../errors.ts';
import type { JsonInventory } from '../json-inventory.ts';
import { runProgram } from './run-program.ts';

/** Hosts that are asked for at a time, of programs that give no `_meta`. */
const AT_A_TIME = 8;

type Mapping = Record<string, unknown>;

/**
 * Asks an inventory program: `--list`, and `--host NAME` for each host when the answer has no `_meta`.
 * @param deadline milliseconds for all of it.
 * @throws ReeveError `inventory-program`.
 */
export async function askProgram(file: string, deadline: number): Promise<JsonInventory> {
  const until = Date.now() + deadline;
  const left = () => Math.max(1, until - Date.now());
  const list = parse(file, '--list', await runProgram(file, ['--list'], left()));
  if (isMapping(list._meta) && 'hostvars' in list._meta) return list;
  const hosts = hostsOf(list);
  const hostvars: Mapping = {};
  const next = async (): Promise<void> => {
    for (let host = hosts.pop(); host !== undefined; host = hosts.pop()) {
      const text = await runProgram(file, ['--host', host], left());
      hostvars[host] = text.trim() === '' ? {} : parse(file, `--host ${host}`, text);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, next));
  return { ...list, _meta: { hostvars } };
}

function hostsOf(list: JsonInventory): string[] {
  const found = new Set<string>();
  for (const [name, body] of Object.entries(list)) {
    if (name === '_meta') continue;
    const hosts = Array.isArray(body) ? body : isMapping(body) ? body.hosts : undefined;
    if (Array.isArray(hosts)) for (const host of hosts) found.add(String(host));
    else if (isMapping(body) && !('vars' in body) && !('children' in body)) found.add(name);
  }
  return [...found].reverse();
}

function parse(file: string, args: string, text: string): JsonInventory {
  let value: unknown;
  let cause: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (isMapping(value)) return value;
  throw new ReeveError('inventory-program', `\`${file} ${args}\` did not print a JSON mapping`, {
    place: { file, line: 1, column: 1 },
    hint: printed(text.trim(), cause),
    exitCode: EXIT.invalid,
    cause,
  });
}

/** What looks like JSON is full of variables, with passwords among them: it is not repeated. */
function printed(text: string, cause: unknown): string {
  if (text === '') return 'it printed nothing';
  if (!/^[[{]/.test(text)) return `it printed: ${text.slice(0, 200)}`;
  if (cause === undefined) return 'it printed a list';
  const at = /line (\d+) column (\d+)/.exec((cause as Error).message);
  return `it printed JSON that is damaged${at ? ` in line ${at[1]}, column ${at[2]}` : ''}`;
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
