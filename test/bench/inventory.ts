import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadInventory } from '../../runner/inventory/load.ts';
import { layeredScope } from '../../runner/language/scope.ts';

/**
 * Large inventories: hosts in groups, variables for each of both. Each form is loaded and resolved in a process of its
 * own, which is measured as a whole (node's start included).
 *
 *     node test/bench/inventory.ts [HOSTS GROUPS VARIABLES]
 */
export interface Size {
  hosts: number;
  groups: number;
  /** For each host and for each group. */
  variables: number;
}

export interface Measured {
  form: string;
  seconds: number;
  /** Of all processors together; what the wall clock shows where nothing else runs. */
  cpuSeconds: number;
  /** The largest the process was, MB. */
  megabytes: number;
  /** Values that were resolved. */
  values: number;
}

/** The size that the bar is about. */
export const LARGE: Size = { hosts: 10_000, groups: 1_000, variables: 50 };

const hostName = (n: number) => `node-${String(n).padStart(5, '0')}.example.org`;
const groupName = (n: number) => `group_${String(n).padStart(4, '0')}`;
const value = (n: number, v: number) => (v % 3 === 0 ? String(n * v) : v % 3 === 1 ? `value-${n}-${v}` : 'true');

type Form = (folder: string, size: Size) => string;

/** Every host in two groups; groups of ten have a parent. */
const FORMS: Record<string, Form> = {
  'INI, variables of hosts and of groups in the file': (folder, { hosts, groups, variables }) => {
    const members = Array.from({ length: groups }, () => [] as string[]);
    for (let n = 0; n < hosts; n++) {
      const vars = Array.from({ length: variables }, (_, v) => `v${v}=${value(n, v)}`).join(' ');
      members[n % groups]!.push(`${hostName(n)} ${vars}`);
      members[(n * 7 + 1) % groups]!.push(hostName(n));
    }
    const text = members.map((lines, g) => {
      const vars = Array.from({ length: variables }, (_, v) => `g${v}=${value(g, v)}`).join('\n');
      return `[${groupName(g)}]\n${lines.join('\n')}\n[${groupName(g)}:vars]\n${vars}\n`;
    });
    writeFileSync(join(folder, 'hosts'), text.join('') + parents(groups));
    return join(folder, 'hosts');
  },
  'INI, variables of groups in group_vars (YAML)': (folder, { hosts, groups, variables }) => {
    const members = Array.from({ length: groups }, () => [] as string[]);
    for (let n = 0; n < hosts; n++) for (const g of [n, n * 7 + 1]) members[g % groups]!.push(hostName(n));
    const text = members.map((lines, g) => `[${groupName(g)}]\n${lines.join('\n')}\n`).join('');
    writeFileSync(join(folder, 'hosts'), text + parents(groups));
    writeGroupVars(folder, groups, variables);
    return join(folder, 'hosts');
  },
  'reeve YAML, variables of groups in group_vars': (folder, { hosts, groups, variables }) => {
    const members = Array.from({ length: groups }, () => [] as string[]);
    for (let n = 0; n < hosts; n++) for (const g of [n, n * 7 + 1]) members[g % groups]!.push(`    ${hostName(n)}:\n`);
    const text = members.map((lines, g) => `${groupName(g)}:\n  hosts:\n${lines.join('')}`).join('');
    writeFileSync(join(folder, 'hosts.yaml'), `reeve: 1\n${text}`);
    writeGroupVars(folder, groups, variables);
    return join(folder, 'hosts.yaml');
  },
  'JSON, variables of hosts and of groups in the file': (folder, { hosts, groups, variables }) => {
    const vars = (n: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: variables }, (_, v) => [prefix + v, value(n, v)]));
    const made: Record<string, { hosts: Record<string, object>; vars: object }> = {};
    for (let g = 0; g < groups; g++) made[groupName(g)] = { hosts: {}, vars: vars(g, 'g') };
    for (let n = 0; n < hosts; n++) {
      made[groupName(n % groups)]!.hosts[hostName(n)] = vars(n, 'v');
      made[groupName((n * 7 + 1) % groups)]!.hosts[hostName(n)] ??= {};
    }
    writeFileSync(join(folder, 'hosts.json'), JSON.stringify(made));
    return join(folder, 'hosts.json');
  },
};

function parents(groups: number): string {
  let text = '';
  for (let g = 0; g < groups; g += 10) {
    const children = Array.from({ length: Math.min(10, groups - g) }, (_, n) => groupName(g + n));
    text += `[region_${g / 10}:children]\n${children.join('\n')}\n`;
  }
  return text;
}

function writeGroupVars(folder: string, groups: number, variables: number): void {
  mkdirSync(join(folder, 'group_vars'));
  for (let g = 0; g < groups; g++) {
    const lines = Array.from({ length: variables }, (_, v) => `g${v}: ${value(g, v)}\n`);
    writeFileSync(join(folder, 'group_vars', `${groupName(g)}.yml`), lines.join(''));
  }
}

/** Loads an inventory and reads every variable of every host; gives the number of values. */
export function loadAndResolve(file: string): number {
  const inventory = loadInventory([file]);
  let values = 0;
  for (const pattern of ['all', 'group_00*:!group_0001', 'group_0002:&group_0003']) inventory.match(pattern);
  for (const host of inventory.match('all')) {
    const scope = layeredScope(
      inventory
        .layersOf(host)
        .map(({ definitions }) => definitions)
        .reverse(),
    );
    for (const name of scope.names()) if (scope.get(name) !== undefined) values++;
  }
  return values;
}

/** Measures every form in a process of its own. */
export function benchInventory(size: Size = LARGE): Measured[] {
  return Object.entries(FORMS).map(([form, write]) => {
    const folder = mkdtempSync(join(tmpdir(), 'reeve-bench-'));
    try {
      const file = write(folder, size);
      const started = process.hrtime.bigint();
      const child = spawnSync(process.execPath, [import.meta.filename, '--load', file], { encoding: 'utf8' });
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (child.status !== 0) throw new Error(child.stderr);
      const told = JSON.parse(child.stdout) as Omit<Measured, 'form' | 'seconds'>;
      return { form, seconds, ...told };
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

if (import.meta.main) {
  const [first, second, third, fourth] = process.argv.slice(2);
  if (first === '--load') {
    const values = loadAndResolve(second!);
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
    console.log(JSON.stringify({ values, cpuSeconds, megabytes: maxRSS / 1024 }));
  } else {
    const size = first ? { hosts: Number(first), groups: Number(second), variables: Number(third ?? fourth) } : LARGE;
    for (const { form, seconds, cpuSeconds, megabytes, values } of benchInventory(size)) {
      console.log(
        `${form}: ${seconds.toFixed(2)} s (${cpuSeconds.toFixed(2)} s CPU), ${megabytes.toFixed(0)} MB, ${values} values`,
      );
    }
  }
}
