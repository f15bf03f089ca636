import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReeveError } from '../../runner/errors.ts';
import { inventoryList } from '../../runner/inventory/show.ts';
import { needs } from '../support/needs.ts';
import { Ansible, whatIsMissing } from './ansible.ts';
import { inventoryArguments, listedHosts, openCase, writeCase } from './support.ts';

const GROUPS = ['alpha', 'beta', 'gamma', 'delta', 'eps', 'zeta'];
const HOSTS = ['h1', 'h2', 'h3', 'h10', 'x.example.org', '10.0.0.7', 'n-1'];
const SCALARS = [
  '1',
  'yes',
  'no',
  '010',
  '1.50',
  '12:30',
  'text',
  '"quoted"',
  "'1'",
  'null',
  '~',
  '0x1f',
  '1e3',
  'True',
  '-3',
  '1_000',
  'a b',
  'None',
  '""',
  'off',
];

interface RandomGroup {
  hosts: string[];
  /** Later groups only: no cycles. */
  children: number[];
  vars: [string, string][];
  files: [string, string][];
  priority: number | undefined;
}

const variable = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(...SCALARS));
const variables = fc.uniqueArray(variable, { maxLength: 3, selector: ([name]) => name });
const group = fc.record<RandomGroup>({
  hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { maxLength: 4 }),
  children: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  vars: variables,
  files: variables,
  priority: fc.option(fc.integer({ min: -2, max: 20 }), { nil: undefined }),
});
const inventory = fc.record({
  groups: fc.array(group, { minLength: 2, maxLength: GROUPS.length }),
  hostVars: fc.dictionary(fc.constantFrom(...HOSTS), variables, { maxKeys: 4 }),
  alone: fc.uniqueArray(fc.constantFrom(...HOSTS), { maxLength: 2 }),
  all: variables,
  isYaml: fc.boolean(),
});
type RandomInventory = typeof inventory extends fc.Arbitrary<infer T> ? T : never;

const term = fc.oneof(
  fc.constantFrom(...GROUPS, ...HOSTS, 'all', 'ungrouped'),
  fc.constantFrom('h*', '*a', 'h?', '[hn]*', '~h[13]', '~.*a$', '*.org', '1*', '?eta'),
);
const pattern = fc
  .array(fc.tuple(fc.constantFrom('', '', '&', '!'), term), { minLength: 1, maxLength: 4 })
  .chain((terms) => fc.constantFrom(':', ',').map((by) => terms.map((one) => one.join('')).join(by)));

const pairs = (vars: [string, string][], by: string, indent: string) =>
  vars.map(([k, v]) => `${indent}${k}${by}${v}\n`).join('');

/** Plain values with a space must be quoted on a line of hosts. */
const word = ([name, value]: [string, string]) =>
  `${name}=${/[ '"]/.test(value) ? `'${value.replaceAll("'", '')}'` : value}`;

function toIni({ groups, alone, hostVars, all }: RandomInventory): string {
  const seen = new Set<string>();
  const host = (name: string) => {
    const vars = seen.has(name) ? [] : (hostVars[name] ?? []);
    seen.add(name);
    return `${[name, ...vars.map(word)].join(' ')}\n`;
  };
  let text = alone.map(host).join('');
  groups.forEach(({ hosts, children, vars, priority }, index) => {
    const name = GROUPS[index]!;
    text += `[${name}]\n${hosts.map(host).join('')}`;
    const below = children.filter((child) => child > index && child < groups.length);
    if (below.length > 0) text += `[${name}:children]\n${below.map((child) => `${GROUPS[child]}\n`).join('')}`;
    text += `[${name}:vars]\n${pairs(vars, '=', '')}`;
    if (priority !== undefined) text += `ansible_group_priority=${priority}\n`;
  });
  return `${text}[all:vars]\n${pairs(all, ' = ', '')}`;
}

function toYaml({ groups, alone, hostVars, all }: RandomInventory): string {
  const hosts = (names: string[], indent: string) =>
    names.map((name) => `${indent}${name}:\n${pairs(hostVars[name] ?? [], ': ', `${indent}  `)}`).join('');
  let text = `all:\n  vars:\n${pairs(all, ': ', '    ')}`;
  if (alone.length > 0) text += `  hosts:\n${hosts(alone, '    ')}`;
  groups.forEach(({ hosts: own, children, vars, priority }, index) => {
    text += `${GROUPS[index]}:\n  hosts:\n${hosts(own, '    ')}  vars:\n${pairs(vars, ': ', '    ')}`;
    if (priority !== undefined) text += `    ansible_group_priority: ${priority}\n`;
    const below = children.filter((child) => child > index && child < groups.length);
    if (below.length > 0) text += `  children:\n${below.map((child) => `    ${GROUPS[child]}:\n`).join('')}`;
  });
  return text;
}

function filesOf(random: RandomInventory): Record<string, string> {
  const name = random.isYaml ? 'hosts.yml' : 'hosts';
  const files: Record<string, string> = { [name]: random.isYaml ? toYaml(random) : toIni(random) };
  random.groups.forEach((group, index) => {
    if (group.files.length > 0) files[`group_vars/${GROUPS[index]}.yml`] = pairs(group.files, ': ', '');
  });
  return files;
}

/** Ansible lists hosts of cousins in the order of memory addresses. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]));
}

describe('Ansible itself', needs(whatIsMissing()), () => {
  let ansible: Ansible;
  beforeAll(() => {
    ansible = new Ansible();
  });
  afterAll(() => ansible.close());

  it('random inventories and patterns resolve alike', async () => {
    await fc.assert(
      fc.asyncProperty(inventory, fc.array(pattern, { minLength: 2, maxLength: 4 }), async (random, patterns) => {
        const files = filesOf(random);
        const folder = writeCase(files);
        try {
          const source = `${folder}/${Object.keys(files)[0]}`;
          const ours = await openCase([source]);
          const listed = await ansible.ask(folder, 'ansible-inventory', ...inventoryArguments([source]), '--list');
          expect(sorted(inventoryList(ours))).toEqual(sorted(JSON.parse(listed.stdout)));
          for (const each of patterns) {
            const theirs = await ansible.ask(
              folder,
              'ansible',
              ...inventoryArguments([source]),
              '--list-hosts',
              '--',
              each,
            );
            // A name that is not there is a warning for Ansible and an error here: docs/from-ansible.md.
            if (/pattern, ignoring: [\w.-]+\s/.test(theirs.stderr)) {
              expect(() => ours.match(each)).toThrow(ReeveError);
            } else expect(ours.match(each).toSorted()).toEqual(listedHosts(theirs.stdout).toSorted());
          }
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      {
        numRuns: Number(process.env.REEVE_ORACLE_RUNS ?? 30),
        seed: process.env.REEVE_ORACLE_SEED ? Number(process.env.REEVE_ORACLE_SEED) : Date.now(),
      },
    );
  });
});
