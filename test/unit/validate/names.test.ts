import { describe, expect, it } from 'vitest';
import { expectOne, testInventory, validate, withTasks } from './support.ts';

const inventory = testInventory();

describe('names with an inventory', () => {
  it.each([
    ['an undefined variable', '- debug: "{{ «»typo }}"', 'undefined-variable', ['`typo`']],
    ['a near one', '- debug: "{{ «»sit }}"', 'undefined-variable', ['`site`']],
    ['in a condition', '- debug: x\n  when: site == «»ipp', 'undefined-variable', ['`ip`']],
    ['in a block of text', '- debug: |\n    one\n    two {{ «»typo }}', 'undefined-variable', ['typo']],
    ['in a folded text', '- debug: >\n    one\n    two {{ «»typo }}', 'undefined-variable', ['typo']],
    ['after an escape', '- debug: "a\\tb {{ «»typo }}"', 'undefined-variable', ['typo']],
    ['in a name', '- name: "{{ «»typo }}"\n  debug: x', 'undefined-variable', ['typo']],
    ['in vars', '- debug: x\n  vars: { v: "{{ «»typo }}" }', 'undefined-variable', ['typo']],
    ['in vars. of CEL', '- debug: x\n  when: «»vars.typo', 'undefined-variable', ['typo']],
    ['item outside a loop', '- debug: "{{ «»item }}"', 'undefined-variable', ['loop']],
    ['item in the loop itself', '- debug: x\n  loop: [1, "{{ «»item }}"]', 'undefined-variable', ['loop']],
    [
      'item under another name',
      '- debug: "{{ «»item }}"\n  loop: [1]\n  loop_control: { loop_var: x }',
      'undefined-variable',
      [],
    ],
    ['batch outside a gate', '- debug: "{{ «»batch.hosts }}"', 'undefined-variable', ['gate']],
    ['a member of run', '- debug: "{{ «»run.chekc }}"', 'unknown-member', ['`check`']],
    ['a member of host', '- debug: "{{ «»host.adress }}"', 'unknown-member', ['`address`']],
    ['an unknown host', '- debug: \'{{ «»hosts["k3s-9"].ip }}\'', 'unknown-host', ['k3s-9', 'k3s-']],
    ['an unknown group', '- debug: x\n  loop: «»groups.server', 'unknown-group', ['`servers`']],
    [
      'a fact of no register',
      '- service: { name: x }\n  register: r\n- debug: "{{ «»r.versoin }}"',
      'unknown-member',
      ['`version`'],
    ],
    [
      'a fact of a loop',
      '- service: { name: x }\n  register: r\n  loop: [1]\n- debug: "{{ «»r.version }}"',
      'unknown-member',
      ['results[0].version'],
    ],
    [
      'a fact of an item of a loop',
      '- service: { name: x }\n  register: r\n  loop: [1]\n- debug: "{{ «»r.results[0].nope }}"',
      'unknown-member',
      ['nope'],
    ],
  ])('%s', (_name, task, code, words) => {
    expectOne(withTasks(task), code, words, inventory);
  });

  it('the whole name is marked', () => {
    const { place } = expectOne(withTasks('- debug: "{{ «»typo.x }}"'), 'undefined-variable', [], inventory);
    expect(place!.endColumn! - place!.column).toBe('typo'.length);
  });

  it('an input is reached by inputs, and says so', () => {
    const inputs = 'inputs: { version: { type: string } }\n';
    expectOne(inputs + withTasks('- debug: "{{ «»version }}"'), 'undefined-variable', ['inputs.version'], inventory);
    expectOne(inputs + withTasks('- debug: "{{ «»inputs.versoin }}"'), 'unknown-input', ['`version`'], inventory);
  });

  it.each([
    ['variables of the inventory', '- debug: "{{ site }} {{ ip }}"'],
    ['what is always there', '- debug: "{{ host.name }} {{ host.facts.os.id }} {{ run.id }} {{ inventory_hostname }}"'],
    ['other hosts', '- debug: \'{{ hosts["k3s-1"].anything }} {{ groups.agents }} {{ groups.all }}\''],
    ['variables of the step', '- debug: "{{ v }} {{ w }}"\n  vars: { v: "{{ w }}", w: 1 }'],
    ['variables of the block around', '- vars: { v: 1 }\n  block: [{ debug: "{{ v }}" }]'],
    [
      'the loop and its names',
      '- debug: "{{ item }} {{ index }}"\n  loop: [1]\n  loop_control: { label: "{{ item }}" }',
    ],
    [
      'the loop of the block around',
      '- loop: [1]\n  loop_control: { loop_var: x }\n  block: [{ debug: "{{ x }} {{ index }}" }]',
    ],
    ['vars that use the loop inside', '- vars: { v: "{{ item }}" }\n  block:\n    - debug: "{{ v }}"\n      loop: [1]'],
    [
      'registers before and after',
      '- debug: "{{ default r.version 1 }}"\n- service: { name: x }\n  register: r\n- debug: "{{ r.changed }} {{ r.message }}"',
    ],
    [
      'a register of two modules',
      '- service: { name: x }\n  register: r\n- set-vars: { a: 1 }\n  register: r\n- debug: "{{ r.a }}"',
    ],
    [
      'the result of one item in its own rules',
      '- service: { name: x }\n  register: r\n  loop: [1]\n  until: r.version != ""\n  changed_when: r.exists',
    ],
    ['variables that are set', '- set-vars: { made: 1 }\n- debug: "{{ made }}"'],
    ['optional names', '- debug: "{{ default typo 1 }}"\n  when: defined(other) && has(hosts.nope)'],
    ['names bound in a template', '- debug: "{{#each groups.all as |name|}}{{ name }}{{/each}}"'],
    ['names bound in CEL', '- debug: x\n  when: groups.all.exists(g, g == host.name)'],
    ['a constant in brackets', '- debug: "{{ groups.servers[0] }}"'],
  ])('knows %s', (_name, task) => {
    expect(validate(withTasks(task), inventory)).toEqual([]);
  });

  it('knows registers of earlier plays, and batch in gates', () => {
    const text = `plays:
  - hosts: servers
    tasks: [{ service: { name: x }, register: r }]
    gate: [{ debug: "{{ batch.hosts }} {{ batch.number }}" }]
  - hosts: agents
    tasks: [{ debug: "{{ r.version }}" }]
`;
    expect(validate(text, inventory)).toEqual([]);
  });

  it('variables of hosts that the play does not touch are unknown', () => {
    expectOne(
      'plays:\n  - hosts: agents\n    tasks: [{ debug: "{{ «»ip }}" }]\n',
      'undefined-variable',
      ['`ip`'],
      inventory,
    );
  });

  it('playbook variables may use names of any play', () => {
    const text = `vars: { a: "{{ item }} {{ made }}" }\n${withTasks('- set-vars: { made: 1 }\n- debug: "{{ a }}"\n  loop: [1]')}`;
    expect(validate(text, inventory)).toEqual([]);
    expectOne(
      `vars: { a: "{{ «»typo }}" }\n${withTasks('- debug: "{{ a }}"')}`,
      'undefined-variable',
      ['typo'],
      inventory,
    );
  });
});

describe('names without an inventory', () => {
  it('are warnings where a host may have them, and errors where none can', () => {
    expect(expectOne(withTasks('- debug: "{{ «»typo }}"'), 'undefined-variable', ['inventory']).severity).toBe(
      'warning',
    );
    expect(expectOne(withTasks('- debug: "{{ «»item }}"'), 'undefined-variable', ['loop']).severity).toBe('error');
    expect(validate(withTasks('- debug: "{{ hosts.any.thing }} {{ groups.any }}"'))).toEqual([]);
  });
});

describe('-e', () => {
  it('defines a name', () => {
    expect(validate(withTasks('- debug: "{{ mine }}"'), inventory, { extraVars: ['mine'] })).toEqual([]);
  });

  it('is an error for a name that nothing uses', () => {
    const text = `inputs: { version: { default: "1" } }\n${withTasks('- debug: x')}`;
    const [found] = validate(text, inventory, { extraVars: ['versoin', 'site', 'user'], engineVariables: ['user'] });
    expect(found?.message).toContain('versoin');
    expect(found?.hint).toContain('version');
    expect(validate(text, inventory, { extraVars: ['site', 'user'], engineVariables: ['user'] })).toEqual([]);
  });
});
