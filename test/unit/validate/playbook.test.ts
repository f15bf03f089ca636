import { describe, expect, it } from 'vitest';
import { literalNames } from '../../../runner/validate/playbook/hosts.ts';
import { expectOne, testInventory, validate, withTasks } from './support.ts';

const inventory = testInventory();

describe('hosts', () => {
  it.each([
    ['an unknown host', 'hosts: «k3s-9»', ['k3s-9']],
    ['an unknown group', 'hosts: «serers»', ['`servers`']],
    ['the second of a pattern', 'hosts: servers:!«k3s-9»', ['k3s-9']],
    ['an item of a list', 'hosts: [servers, "&«agent»"]', ['`agents`']],
    ['one with a subscript', 'hosts: «serers»[0]', ['`servers`']],
  ])('%s', (_name, hosts, words) => {
    expectOne(`plays:\n  - ${hosts}\n`, 'unknown-host', words, inventory);
  });

  it.each([
    'all',
    'localhost',
    'servers:&agents:!k3s-1',
    'k3s-*',
    '~k3s-[12]',
    'servers[0]',
    'servers[0:1],agents',
    '"{{ host.name }}"',
  ])('%s is known', (hosts) => {
    expect(validate(`plays:\n  - hosts: ${hosts.startsWith('"') ? hosts : `"${hosts}"`}\n`, inventory)).toEqual([]);
  });

  it('finds the names in patterns', () => {
    const names = (pattern: string) => literalNames(pattern).map(({ name, offset }) => `${name}@${offset}`);
    expect(names('a:&b:!c,d')).toEqual(['a@0', 'b@3', 'c@6', 'd@8']);
    expect(names('a[1:3] , b')).toEqual(['a@0', 'b@9']);
    expect(names('web*:~x(a|b):c')).toEqual([]);
    expect(names('fe80::1')).toEqual([]);
  });

  it('delegates', () => {
    expectOne(withTasks('- debug: x\n  delegate_to: «k3s-11»'), 'unknown-host', ['k3s-1'], inventory);
    expect(
      validate(withTasks('- debug: x\n  delegate_to: localhost\n- debug: x\n  delegate_to: k3s-1'), inventory),
    ).toEqual([]);
  });

  it('without an inventory nothing is said', () => {
    expect(validate('plays:\n  - hosts: anything\n')).toEqual([]);
  });
});

describe('handlers', () => {
  const play = (notify: string, handlers: string) =>
    `plays:\n  - hosts: all\n    tasks:\n      - { debug: x, notify: ${notify} }\n    handlers: ${handlers}\n`;

  it('an unknown one', () => {
    expectOne(
      play('«restrt»', '[{ name: restart, debug: x, listen: restrat }, { name: b, debug: x }]')
        .replace('debug: x, notify', 'debug: x, tags: x, notify')
        .replace('{ name: b, debug: x }', '{ name: b, debug: x, notify: restart }')
        .replace(', { name: b', ', { name: b'),
      'unknown-handler',
      [],
    );
  });
});
