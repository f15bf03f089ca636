import { describe, expect, it } from 'vitest';
import { iniValue } from '../../../runner/inventory/ansible/python-literal.ts';
import { hostVariables } from '../../../runner/inventory/show.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { faultsOf, inventoryOf, placesOf } from './support.ts';

// What Ansible makes of the same text is compared in test/oracle.
describe('values', () => {
  it.each<[string, unknown]>([
    ['1', 1],
    ['0644', '0644'],
    ['yes', 'yes'],
    ['True', true],
    ['None', null],
    ['"a" \'b\'', 'ab'],
    ['1,2', [1, 2]],
    ["{'a': (1, 2)}", { a: [1, 2] }],
    ['[1, 2', '[1, 2'],
    ['5 # five', 5],
    ['five # five', 'five # five'],
    ['10.0.0.1', '10.0.0.1'],
    ['99999999999999999999', '99999999999999999999'],
    [`${'['.repeat(5000)}`, '['.repeat(5000)],
  ])('%s', (text, value) => expect(iniValue(text)).toEqual(value));
});

describe('errors have a place', () => {
  it.each([
    ['a section with a space', 'a\n[we b]\n', '2:1 invalid-section'],
    ['an unknown kind of section', '[web:varz]\n', '1:1 invalid-section'],
    ['an open quote', 'a\nb x="1\n', '2:5 invalid-host'],
    ['a word without =', 'a x=1 why\n', '1:7 invalid-variable'],
    ['vars without =', '[g]\n[g:vars]\n  why\n', '3:3 invalid-variable'],
    ['children that are nowhere', '[g:children]\n  sub # c\n', '2:3 unknown-group'],
    ['vars of a group that is nowhere', '\n[g:vars]\nx=1\n', '2:1 unknown-group'],
    ['a range that runs backwards', 'a x=1\nw[3:1]\n', '2:1 invalid-range'],
    ['a range of two widths', 'w[08:100]\n', '1:1 invalid-range'],
    ['a range without an end', 'w[1:]\n', '1:1 invalid-range'],
    ['a range of far too many', 'w[1:99999999]\n', '1:1 invalid-range'],
    ['a colon at the end', 'a\nweb1:\n', '2:1 invalid-host'],
    ['a priority that is none', '[g]\n[g:vars]\nansible_group_priority=high\n', '3:1 invalid-priority'],
    ['groups in a circle', '[a:children]\nb\n[b:children]\na\n', '1:1 group-cycle'],
    ['all inside a group', '[a:children]\nall\n', '1:1 group-cycle'],
    ['a control character', 'a\nb\u0007\n', '2:2 control-character'],
  ])('%s', (_name, text, expected) => expect(placesOf(faultsOf(() => inventoryOf(text)))).toEqual([expected]));

  it('all of them at once', () => {
    const found = faultsOf(() => inventoryOf('a x\nb "\n[no such]\n'));
    expect(placesOf(found)).toEqual(['1:3 invalid-variable', '2:3 invalid-host', '3:1 invalid-section']);
  });
});

describe('Jinja', () => {
  const inventory = inventoryOfLine();

  function inventoryOfLine() {
    return () =>
      inventoryOf('[g]\nh plain=1\n[g:vars]\nurl = http://{{ name | upper }}/\nodd={% if x %}y{% endif %}\n');
  }
  const scope = (name: string) =>
    layeredScope(
      inventory()
        .layersOf('h')
        .map((layer) => layer.definitions)
        .reverse(),
    ).get(name);

  it('is shown as it is written', () => {
    expect(hostVariables(inventory(), 'h')).toMatchObject({ url: 'http://{{ name | upper }}/' });
  });

  it('is an error when used, with its place and the form to write', () => {
    const [fault] = faultsOf(() => scope('url'));
    expect(placesOf([fault!])).toEqual(['4:14 jinja-value']);
    expect(fault?.hint).toContain('`http://{{upper name}}/`');
  });

  it('has its place behind a quote, too', () => {
    const quoted = inventoryOf('h x=1 y="{{ z }}"\n');
    const [layer] = quoted.layersOf('h');
    const [fault] = faultsOf(() => layer?.definitions.y?.compiled.render(layeredScope([])));
    expect(placesOf([fault!])).toEqual(['1:10 jinja-value']);
  });

  it('names no form where there is none', () => {
    const [fault] = faultsOf(() => scope('odd'));
    expect(fault?.hint).toContain('no direct form');
    expect(scope('plain')).toBe(1);
  });
});
