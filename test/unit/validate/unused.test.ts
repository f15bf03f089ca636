import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadInventory } from '../../../runner/inventory/load.ts';
import { runValidate } from '../../../runner/validate/run-validate.ts';
import { folderWith } from '../inventory/support.ts';
import { testRegistry } from '../playbook/registry.ts';

function warnings(playbook: string, files: Record<string, string>): string[] {
  const folder = folderWith({ 'p.yaml': playbook, ...files });
  const { diagnostics, exitCode } = runValidate({
    files: [join(folder, 'p.yaml')],
    registry: testRegistry,
    inventory: loadInventory([join(folder, Object.keys(files)[0]!)]),
    engineVariables: ['address'],
    warnOfVariables: true,
  });
  expect(exitCode).toBe(0);
  return diagnostics.map(({ code, place }) => `${code} ${place?.file.slice(folder.length + 1)}:${place?.line}`);
}

const INI =
  '[web]\nw1 used=1 never=2 address=192.0.2.1 ansible_user=root\n[web:vars]\nindirect=1\nshown="{{ indirect }}"\n';

it('warns of a variable that nothing uses, at its place', () => {
  const playbook = 'plays: [{ hosts: web, tasks: [{ debug: "{{ used }} {{ default shown 1 }}" }] }]\n';
  expect(warnings(playbook, { hosts: INI })).toEqual(['unused-variable hosts:2']);
});

it('counts `hosts.NAME.x` and `vars.x` as uses, and is silent where a name is made at run time', () => {
  const use = (text: string) =>
    `plays: [{ hosts: web, tasks: [{ debug: "{{ used }} {{ default shown 1 }} ${text}" }] }]\n`;
  expect(warnings(use('{{ hosts.w1.never }}'), { hosts: INI })).toEqual([]);
  expect(warnings(use('{{ vars.never }}'), { hosts: INI })).toEqual([]);
  expect(warnings(use('{{ json (lookup hosts inventory_hostname) }}'), { hosts: INI })).toEqual([]);
});

it('warns of a variable of the playbook that hides one of the inventory', () => {
  const playbook =
    'plays:\n  - hosts: web\n    vars: { a: 1 }\n    tasks:\n      - debug: "{{ a }}"\n        vars: { b: 2 }\n';
  expect(warnings(playbook, { hosts: '[web]\nw1 a=1\n[db]\nd1 b=1\n' })).toEqual([
    'shadowed-variable p.yaml:3',
    'unused-variable hosts:4',
  ]);
});

it('warns of a variable that is set twice on one level', () => {
  const files = { hosts: '[web]\nw1\n', 'group_vars/web/1.yml': 'a: 1\n', 'group_vars/web/2.yml': 'a: 2\n' };
  const playbook = 'plays: [{ hosts: web, tasks: [{ debug: "{{ a }}" }] }]\n';
  expect(warnings(playbook, files)).toEqual(['shadowed-variable group_vars/web/2.yml:1']);
});
