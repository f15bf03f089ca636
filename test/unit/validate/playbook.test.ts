import { describe, expect, it } from 'vitest';
import { literalNames } from '../../../runner/validate/playbook/hosts.ts';
import { marked } from '../load/marked.ts';
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

  it('a pattern that is none', () => {
    expectOne('plays:\n  - hosts: «~k3s-(»\n', 'invalid-pattern', ['regular expression'], inventory);
  });

  it('without an inventory nothing is said', () => {
    expect(validate('plays:\n  - hosts: anything\n')).toEqual([]);
  });
});

describe('handlers', () => {
  const play = (notify: string, handlers: string) =>
    `plays:\n  - hosts: all\n    tasks:\n      - { debug: x, notify: ${notify} }\n    handlers: ${handlers}\n`;

  it('an unknown one', () => {
    expectOne(play('[a, «b2»]', '[{ name: a, debug: x }, { name: bb, debug: x, listen: a }]'), 'unknown-handler', [
      'b2',
    ]);
    expectOne(play('«restrt»', '[]'), 'unknown-handler', ['no handlers']);
  });

  it('one that nothing notifies, or only itself', () => {
    const found = expectOne(
      play('a', '[{ name: a, debug: x }, «»{ name: b, debug: x, notify: b }]'),
      'unused-handler',
      ['`b`'],
    );
    expect(found.severity).toBe('warning');
  });

  it('two of one name', () => {
    const found = expectOne(play('a', '[{ name: a, debug: x }, { name: «a», debug: x }]'), 'duplicate-name', ['`a`']);
    expect(found.related?.[0]?.place).toMatchObject({ line: 5, column: 24 });
  });

  it.each([
    ['by a further name', 'all', '[{ name: a, debug: x, listen: all }, { name: b, debug: x, listen: [all, c] }]'],
    ['by another handler', 'a', '[{ name: a, debug: x, notify: b }, { name: b, debug: x }]'],
    ['by a name not known before the run', '"{{ run.id }}"', '[{ name: a, debug: x }]'],
  ])('reached %s', (_name, notify, handlers) => {
    expect(validate(play(notify, handlers))).toEqual([]);
  });
});

describe('inputs', () => {
  const playbook = (inputs: string, rest = '') => `inputs:\n  ${inputs}\n${rest}plays: [{ hosts: all }]\n`;

  it.each([
    ['a version without quotes', 'v: { type: string, default: «1.30» }', 'wrong-type', ['quoted: "1.30"']],
    ['a default outside its enum', 'v: { enum: [a, b], default: «c» }', 'wrong-value', ['one of a, b']],
    ['a default outside its range', 'v: { type: integer, minimum: 2, default: «1» }', 'wrong-value', ['at least 2']],
    ['an item of a list', 'v: { type: array, items: { type: string }, default: [a, «1»] }', 'wrong-type', ['`[1]`']],
    ['a schema of items that is none', '«v»: { type: array, items: { type: strng } }', 'bad-schema', ['`v`', 'items']],
    ['a pattern that is none', '«v»: { type: string, pattern: "(" }', 'bad-schema', ['`v`']],
  ])('%s', (_name, inputs, code, words) => {
    expectOne(playbook(inputs), code, words);
  });

  it('an input and a variable of one name', () => {
    expectOne(playbook('v: { default: 1 }', 'vars: { «v»: 2 }\n'), 'duplicate-name', ['`v`']);
  });
});

describe('variables that need each other', () => {
  it.each([
    ['itself', 'vars: { «a»: "{{ a }}" }\nplays: [{ hosts: all }]\n', ['itself']],
    ['two', 'vars: { «a»: "{{ b }}", b: "x{{ a }}" }\nplays: [{ hosts: all }]\n', ['`a` needs `b` needs `a`']],
    ['over levels', 'vars: { a: "{{ b }}", b: 1 }\nplays: [{ hosts: all, vars: { «»b: "{{ a }}" } }]\n', ['needs']],
    ['in a task', withTasks('- debug: x\n  vars: { «a»: ["{{ a.b }}"] }'), ['itself']],
  ])('%s', (_name, source, words) => {
    const { text } = marked(source);
    const cycles = validate(text, inventory).filter(({ code }) => code === 'variable-cycle');
    expect(cycles).toHaveLength(1);
    for (const word of words) expect(cycles[0]!.message).toContain(word);
  });

  it('each place is shown', () => {
    const [found] = validate(
      'vars:\n  a: "{{ b }}"\n  b: "{{ c }}"\n  c: "{{ a }}"\nplays: [{ hosts: all }]\n',
      inventory,
    );
    expect(found?.place?.line).toBe(2);
    expect(found?.related?.map(({ place }) => place.line)).toEqual([3, 4]);
  });

  it('a variable used twice is no cycle', () => {
    expect(validate('vars: { a: "{{ b }}{{ c }}", b: "{{ c }}", c: 1 }\nplays: [{ hosts: all }]\n', inventory)).toEqual(
      [],
    );
  });
});

describe('variables of the inventory', () => {
  const all = (vars: string, host = '{}') =>
    testInventory(`reeve: 1\nall:\n  vars: ${vars}\n  hosts: { a: ${host}, b: {} }\n`);

  it('that use a name nobody defines are warnings', () => {
    const [found, ...others] = validate(
      'plays: [{ hosts: all }]\n',
      all('{ x: "{{ typo }} {{ y }} {{ host.name }} {{ kube_via }}", y: 1 }'),
      {
        engineVariables: ['kube_via'],
      },
    );
    expect(found).toMatchObject({ code: 'undefined-variable', severity: 'warning', place: { line: 3, column: 18 } });
    expect(others).toEqual([]);
  });

  it('may use what the playbook defines', () => {
    const text = 'vars: { a: 1 }\nplays:\n  - { hosts: all, vars: { b: 1 }, tasks: [{ debug: x, register: c }] }\n';
    expect(validate(text, all('{ x: "{{ a }}{{ b }}{{ c.changed }}" }'))).toEqual([]);
  });

  it('that nothing can reach are warnings', () => {
    expect(validate('plays: [{ hosts: all }]\n', all('{ run: 1 }'))).toMatchObject([
      { code: 'reserved-name', severity: 'warning', place: { line: 3, column: 11 } },
    ]);
  });

  it('that need each other on some host are errors', () => {
    const cycle = all('{ x: "{{ y }}", y: 1 }', '{ y: "{{ x }}" }');
    expect(validate('plays: [{ hosts: b }]\n', cycle).map(({ code, severity }) => [code, severity])).toEqual([
      ['variable-cycle', 'error'],
    ]);
    expect(validate('plays: [{ hosts: b }]\n', all('{ x: "{{ y }}", y: "{{ x }}" }', '{ x: 1 }'))).toHaveLength(1);
    expect(validate('plays: [{ hosts: b }]\n', all('{ x: "{{ y }}", y: 1 }', '{ z: "{{ x }}" }'))).toEqual([]);
  });
});

it('reports everything in one go, sorted by place', () => {
  const text = `inputs: { v: { type: string, default: 1 } }
plays:
  - hosts: nobody
    tasks:
      - service: { stat: x }
        notify: nothing
      - debug: "{{ typo }}"
    handlers: [{ name: h, debug: x }]
`;
  expect(validate(text, inventory).map(({ code, place }) => `${place?.line} ${code}`)).toEqual([
    '1 wrong-type',
    '3 unknown-host',
    '5 missing-argument',
    '5 unknown-argument',
    '6 unknown-handler',
    '7 undefined-variable',
    '8 unused-handler',
  ]);
});
