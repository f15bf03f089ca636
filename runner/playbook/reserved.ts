/** Names that mean the same everywhere, and what; nothing can be given one of them, since it could not be reached. */
const RESERVED_NAMES: ReadonlyMap<string, string> = new Map([
  ['inputs', 'the inputs of the playbook'],
  ['host', 'the host itself'],
  ['hosts', 'every host’s variables'],
  ['groups', 'the hosts of every group'],
  ['run', 'the run itself'],
  ['vars', 'all variables by name'],
  ['inventory_hostname', 'the name of the host'],
]);

/** Why a name cannot be given; undefined when it can. */
export function whyReserved(name: string): string | undefined {
  const meaning = RESERVED_NAMES.get(name);
  return meaning === undefined ? undefined : `\`${name}\` always means ${meaning}; give it another name`;
}
