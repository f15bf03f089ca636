import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadInventory } from '../../../runner/inventory/load.ts';
import type { Inventory } from '../../../runner/inventory/model.ts';
import { expectOne, validate, withTasks } from './support.ts';

let folder: string;
let inventory: Inventory;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reeve-foreign-'));
  const file = join(folder, 'hosts');
  writeFileSync(
    file,
    '[web]\na\nb own=plain\n[web:vars]\nbase=/srv\npath={{ base }}/x\nown={{ base }}\n[other]\nc path=1\n',
  );
  inventory = loadInventory([file]);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('Jinja of the inventory is an error where it is used, with the place where it stands and the form to write', () => {
  const { message, hint, related } = expectOne(
    withTasks('- debug: "{{ «»path }}"'),
    'jinja-value',
    ['path'],
    inventory,
  );
  expect(message).toContain('on a;');
  expect(hint).toContain('{{base}}/x');
  expect(related![0]!.place).toMatchObject({ file: join(folder, 'hosts'), line: 6, column: 1 });
  expectOne(withTasks('- debug: x\n  when: «»path != ""'), 'jinja-value', [], inventory);
  expectOne(withTasks('- debug: "{{ v }}"\n  vars: { v: "{{ «»path }}" }'), 'jinja-value', [], inventory);
});

it('only hosts of the play count, and only what no stronger definition replaces', () => {
  const play = (hosts: string, tasks: string) => withTasks(tasks).replace('hosts: all', `hosts: ${hosts}`);
  expect(validate(play('other', '- debug: "{{ path }}"'), inventory)).toEqual([]);
  expect(validate(play('b', '- debug: "{{ own }}"'), inventory)).toEqual([]);
  expectOne(play('a', '- debug: "{{ «»own }}"'), 'jinja-value', [], inventory);
  expect(validate(withTasks('- debug: "{{ path }}"\n  vars: { path: 1 }'), inventory)).toEqual([]);
  expect(validate(withTasks('- set-vars: { path: 1 }\n- debug: "{{ path }}"'), inventory)).toEqual([]);
  expect(validate(`vars: { path: 1 }\n${withTasks('- debug: "{{ path }}"')}`, inventory)).toEqual([]);
  expect(validate(withTasks('- debug: "{{ path }}"'), inventory, { extraVars: ['path'] })).toEqual([]);
  expect(validate(withTasks('- debug: "{{ base }}"').replace('hosts: all', 'hosts: web'), inventory)).toEqual([]);
});

it('what Ansible connects by and reeve does not follow is a warning at its place, once', () => {
  const file = join(folder, 'bastion');
  const args = `ansible_ssh_common_args='-o ProxyJump=bastion'`;
  writeFileSync(file, `[far]\nx ${args}\ny ${args} ansible_host=192.0.2.1\n`);
  const found = validate(withTasks('- debug: x'), loadInventory([file]));
  expect(found).toMatchObject([{ code: 'not-followed', severity: 'warning', place: { file, line: 2 } }]);
  expect(found[0]?.hint).toContain('ssh_proxy_jump');
});
