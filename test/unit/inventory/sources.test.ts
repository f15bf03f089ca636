import { execFileSync } from 'node:child_process';
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../../runner/inventory/explain.ts';
import { loadInventory } from '../../../runner/inventory/load.ts';
import { hostVariables, inventoryMermaid } from '../../../runner/inventory/show.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { faultsOf, folderWith, inventoryOf, placesOf } from './support.ts';

const load = (files: Record<string, string>, ...names: string[]) => {
  const folder = folderWith(files);
  return loadInventory((names.length > 0 ? names : [Object.keys(files)[0]!]).map((name) => join(folder, name)));
};

describe('dialects', () => {
  it('files beside an inventory are in its dialect, and may say otherwise', () => {
    const files = {
      hosts: '[g]\nh\n',
      'group_vars/g.yml': 'a: yes\nb: 0644\n',
      'host_vars/h.yml': 'reeve: 1\nc: yes\nd: "{{ a }}"\n',
    };
    expect(hostVariables(load(files), 'h')).toEqual({ a: true, b: 420, c: 'yes', d: true });
    const ours = { 'hosts.yaml': 'reeve: 1\ng: { hosts: { h: } }\n', 'group_vars/g.yml': 'a: yes\n' };
    expect(hostVariables(load(ours), 'h')).toEqual({ a: 'yes' });
  });

  it('what Ansible accepts with a warning is a warning', () => {
    const inventory = inventoryOf('g:\n  hosts: { h: { a: 1, a: 2 } }\n  hostz: {}\nother: text\n', 'hosts.yml');
    expect(placesOf(inventory.warnings)).toEqual(['2:23 duplicate-key', '3:3 unknown-key', '4:1 invalid-group']);
    expect(hostVariables(inventory, 'h')).toEqual({ a: 2 });
  });

  it.each([
    ['a list of hosts', 'g:\n  hosts: [h]\n', '2:3 expected-mapping'],
    ['variables that are no mapping', 'g:\n  hosts: { h: 5 }\n', '2:12 expected-mapping'],
    ['a wrong range', 'g:\n  hosts:\n    w[b:a]:\n', '3:5 invalid-range'],
    ['an empty file', '', '1:1 empty-file'],
    ['a list at the top', '- a\n', '1:1 expected-mapping'],
    ['wrong YAML', 'g:\n\thosts:\n', '2:1 tab-indentation'],
    ['a port behind a name in our dialect', 'reeve: 1\ng:\n  hosts:\n    web:2222:\n', '4:5 invalid-host'],
    ['a host without a name in our dialect', 'reeve: 1\ng: { hosts: { "": {} } }\n', '2:15 invalid-host'],
  ])('%s is an error', (_name, text, expected) => {
    expect(placesOf(faultsOf(() => inventoryOf(text, 'hosts.yml')))).toEqual([expected]);
  });

  it('an encrypted file and an encrypted value need somebody who decrypts', () => {
    const vaulted = '$ANSIBLE_VAULT;1.1;AES256\n3132\n';
    const value = 'g:\n  hosts:\n    h:\n      s: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        3132\n';
    const use = (inventory: ReturnType<typeof loadInventory>) =>
      layeredScope(inventory.layersOf('h').map((layer) => layer.definitions)).get('s');
    expect(placesOf(faultsOf(() => use(inventoryOf(value, 'hosts.yml'))))).toEqual(['4:17 vaulted-value']);
    expect(placesOf(faultsOf(() => inventoryOf(vaulted, 'hosts.yml')))).toEqual(['1:1 vaulted-file']);
  });
});

describe('sources', () => {
  it.each<[string, (folder: string) => void, string, string]>([
    ['a link to nothing', (at) => symlinkSync('gone', join(at, 'more')), 'more', 'it is a link to nothing'],
    ['a link in a circle', (at) => symlinkSync('.', join(at, 'more')), 'more', 'leads back to itself'],
    ['a link to no group_vars', (at) => symlinkSync('gone', join(at, 'group_vars/g')), 'group_vars/g', 'to nothing'],
    [
      'a link within',
      (at) => symlinkSync('gone', join(at, 'group_vars/all/x.yml')),
      'group_vars/all/x.yml',
      'to nothing',
    ],
  ])('%s among the sources is an error with its name', (_what, make, name, reason) => {
    const folder = folderWith({ hosts: '[g]\nh\n', 'group_vars/all/a.yml': 'a: 1\n' });
    make(folder);
    const [fault] = faultsOf(() => loadInventory([folder]));
    expect(fault?.message).toContain(reason);
    expect(fault?.place?.file).toContain(join(folder, name));
  });

  it('a pipe is refused: it is read more than once', () => {
    const fifo = join(folderWith({}), 'pipe');
    execFileSync('mkfifo', [fifo]);
    expect(faultsOf(() => loadInventory([fifo]))[0]?.code).toBe('inventory-not-file');
  });

  it('a program that may not be run is an error, TOML too', () => {
    const folder = folderWith({ 'inv.sh': '#!/bin/sh\n', 'x.toml': '[g]\n' });
    chmodSync(join(folder, 'inv.sh'), 0o644);
    expect(faultsOf(() => loadInventory([join(folder, 'inv.sh')]))[0]?.hint).toContain('chmod +x');
    expect(faultsOf(() => loadInventory([join(folder, 'x.toml')]))[0]?.code).toBe('inventory-toml');
  });

  it('says which form of a group_vars file is not read', () => {
    const inventory = load({ hosts: '[g]\nh\n', 'group_vars/g/a.yml': 'a: 1\n', 'group_vars/g.yml': 'b: 1\n' });
    expect(inventory.warnings.map(({ code }) => code)).toEqual(['ignored-file']);
    expect(hostVariables(inventory, 'h')).toEqual({ a: 1 });
  });
});

it('explains a variable: every place, the weakest first', () => {
  const files = {
    hosts: '[g]\nh v=1\n[p:children]\ng\n[p:vars]\nv=0\n[g:vars]\nv=2\n',
    'group_vars/g/a.yml': 'v: 3\n',
    'group_vars/g/b.yml': 'v: 4\n',
    'host_vars/h.yml': 'v: 5\n',
  };
  const found = settingsOf(load(files), 'h', 'v');
  expect(found.map(({ level, place, definition }) => [level, place.line, place.column, definition.value])).toEqual([
    ['group p', 6, 1, 0],
    ['group g', 8, 1, 2],
    ['group_vars g', 1, 1, 3],
    ['group_vars g', 1, 1, 4],
    ['host h', 2, 3, 1],
    ['host_vars h', 1, 1, 5],
  ]);
});

it('draws groups as a flow chart', () => {
  expect(inventoryMermaid(inventoryOf('[g]\nh[1:2]\n[p:children]\ng\n'), 1)).toBe(
    [
      'flowchart LR',
      '  g0(["all"])',
      '  g0 --> g1',
      '  g2(["g"])',
      '  g2 --> n3["2 hosts"]',
      '  g1(["p"])',
      '  g1 --> g2',
    ].join('\n'),
  );
});
