import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidError } from '../../runner/errors.ts';
import { needs } from '../support/needs.ts';
import { Ansible, whatIsMissing } from './ansible.ts';
import { inventoryArguments, openCase, writeCase } from './support.ts';

/** What Ansible cannot read: it warns and goes on with half an inventory, or none; here each is an error with a place. */
const REFUSED: [name: string, files: Record<string, string>, place: string][] = [
  ['groups in a circle, INI', { hosts: '[a:children]\nb\n[b:children]\nc\n[c:children]\na\n' }, '1:1'],
  ['groups in a circle, YAML', { 'h.yml': 'a: {children: {b: {children: {a: {}}}}}\n' }, '1:1'],
  ['a group that contains itself', { hosts: '[a:children]\na\n' }, '1:1'],
  ['children that nothing declares', { hosts: '[a:children]\nb\n' }, '2:1'],
  ['variables of a group that nothing declares', { hosts: 'h\n[a:vars]\nx=1\n' }, '2:1'],
  ['an unknown kind of section', { hosts: '[a:hostz]\nh\n' }, '1:1'],
  ['a section with a space', { hosts: '[a b]\nh\n' }, '1:1'],
  ['a word that is no variable', { hosts: '[a]\nh x\n' }, '2:3'],
  ['a quote that is never closed', { hosts: '[a]\nh x="1\n' }, '2:5'],
  ['a line of variables without =', { hosts: '[a]\n[a:vars]\nx\n' }, '3:1'],
  ['a range without an end', { hosts: '[a]\nh[1:]\n' }, '2:1'],
  ['a range of two widths', { hosts: '[a]\nh[01:100]\n' }, '2:1'],
  ['a range of letters that runs backwards', { hosts: '[a]\nh[c:a]\n' }, '2:1'],
  ['a list of hosts, YAML', { 'h.yml': 'a:\n  hosts: [h]\n' }, '2:3'],
  ['variables that are no mapping', { 'h.yml': 'a:\n  vars: [h]\n' }, '2:3'],
  ['broken YAML', { 'h.yml': 'a:\n  hosts: {h: [}\n' }, '2:15'],
  ['a priority that is no number', { 'h.yml': 'a:\n  vars: {ansible_group_priority: high}\n' }, '2:10'],
  ['a program that fails', { 'inv.sh': '#!/bin/sh\nexit 1\n' }, '1:1'],
  ['a program that prints no JSON', { 'inv.sh': '#!/bin/sh\necho hello\n' }, '1:1'],
  ['a plugin that is not there', { 'p.yml': 'plugin: nowhere\n' }, '1:9'],
];

describe('Ansible itself', needs(whatIsMissing()), () => {
  let ansible: Ansible;
  beforeAll(() => {
    ansible = new Ansible();
  });
  afterAll(() => ansible.close());

  it.each(REFUSED)('%s', async (_name, files, place) => {
    const folder = writeCase(files);
    try {
      const source = join(folder, Object.keys(files)[0]!);
      const theirs = await ansible.ask(folder, 'ansible-inventory', ...inventoryArguments([source]), '--list');
      expect(theirs.stderr).toMatch(/Failed to parse|Unable to parse|ERROR/);
      const ours = await openCase([source]).catch((error: unknown) => error);
      expect(ours).toBeInstanceOf(InvalidError);
      const { diagnostics } = ours as InvalidError;
      expect(diagnostics.map((one) => `${one.place?.line}:${one.place?.column}`)).toContain(place);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
