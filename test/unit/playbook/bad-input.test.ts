import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../runner/load/parse.ts';
import { parsePlaybook } from '../../../runner/playbook/parse.ts';
import { marked } from '../load/marked.ts';
import { testRegistry } from './registry.ts';

type Case = [name: string, source: string, code: string, words: string[]];

function check(source: string, code: string, words: string[]): void {
  const { text, ...place } = marked(source);
  const { diagnostics } = parsePlaybook(parseDocument(text, 'p.yaml'), testRegistry);
  const hit = diagnostics.find((diagnostic) => diagnostic.code === code);
  expect(hit, JSON.stringify(diagnostics)).toBeDefined();
  expect({ line: hit!.place?.line, column: hit!.place?.column }).toEqual({ line: place.line, column: place.column });
  if (hit!.place?.endColumn) expect(hit!.place.endColumn).toBe(place.endColumn);
  for (const word of words) expect(`${hit!.message} ${hit!.hint}`).toContain(word);
}

const PLAYBOOKS: Case[] = [
  ['text', '«hello»', 'wrong-type', ['mapping', 'text']],
  ['a list of plays', '«»- hosts: all\n  tasks: []\n', 'playbook-is-list', ['plays:', 'indent']],
  ['a list with import_playbook', '«»- import_playbook: x.yaml\n', 'playbook-is-list', ['plays']],
  ['a tasks file', '«»- debug: x\n', 'playbook-is-list', ['tasks file', 'include']],
  ['no plays', '«»name: x\n', 'missing-keyword', ['plays']],
  ['empty plays', 'plays: «[]»\n', 'wrong-value', ['list of plays', 'not an empty list']],
  ['a mapping where plays belong', 'plays:\n  «»hosts: all\n', 'wrong-type', ['`plays`', 'list of plays', 'mapping']],
  ['a play that is text', 'plays:\n  - «all»\n', 'wrong-type', ['a play must be a mapping', '"all"']],
  ['an unknown keyword', 'plays: []\n«descripton»: x\n', 'unknown-keyword', ['`descripton`', '`description`']],
  ['a keyword of a play', '«hosts»: all\nplays: []\n', 'misplaced-keyword', ['belongs to a play', 'not to a playbook']],
  ['vars_files', 'plays: []\n«vars_files»: [x]\n', 'foreign-keyword', ['Ansible', 'vars']],
  ['an input of unknown type', 'inputs:\n  a: { type: «strng» }\n', 'wrong-value', ['one of', '`string`']],
  ['an input with required', 'inputs:\n  a: { type: string, «required»: true }\n', 'unknown-key', ['default']],
  ['an input with an unknown key', 'inputs:\n  a: { type: string, «defualt»: 1 }\n', 'unknown-key', ['`default`']],
  ['an input that is text', 'inputs:\n  a: «string»\n', 'wrong-type', ['the input `a`', 'mapping']],
  ['an input with a bad name', 'inputs:\n  «k3s-version»: {}\n', 'bad-name', ['k3s-version']],
  ['a variable with a bad name', 'vars: { «a-b»: 1 }\n', 'bad-name', ['a-b']],
];

const PLAYS: Case[] = [
  ['no hosts', '- «»name: x', 'missing-keyword', ['hosts']],
  ['an unknown keyword', '- hosts: all\n  «taks»: []', 'unknown-keyword', ['`taks`', '`tasks`']],
  ['roles', '- hosts: all\n  «roles»: [x]', 'foreign-keyword', ['include']],
  ['a module in a play', '- hosts: all\n  «service»: {}', 'unknown-keyword', ['service']],
  ['serial of a wrong form', '- hosts: all\n  serial: «a few»', 'wrong-value', ['25%']],
  ['serial of zero', '- hosts: all\n  serial: «0»', 'wrong-value', ['number of hosts']],
  ['an unknown order', '- hosts: all\n  order: «sortd»', 'wrong-value', ['`sorted`']],
  ['a percentage out of range', '- hosts: all\n  max_fail_percentage: «110»', 'wrong-value', ['0 to 100', '110']],
  ['yes for a boolean', '- hosts: all\n  any_errors_fatal: «yes»', 'wrong-type', ['write true']],
  ['no tasks in a list', '- hosts: all\n  tasks: «x»', 'wrong-type', ['list of tasks']],
  ['two plays of one name', '- { name: a, hosts: all }\n- { name: «a», hosts: all }', 'duplicate-name', ['`a`']],
  ['a handler without name', '- hosts: all\n  handlers:\n    - «»debug: x', 'missing-keyword', ['name']],
  [
    'a handler with a template for a name',
    '- hosts: all\n  handlers:\n    - { name: «"{{ x }}"», debug: x }',
    'handler-name-template',
    [],
  ],
  ['a handler that is a block', '- hosts: all\n  handlers:\n    - «»block: [{ debug: x }]', 'handler-block', ['block']],
  ['an unknown become method', '- hosts: all\n  become_method: «pbrun»', 'wrong-value', ['sudo, su, doas']],
  ['environment as a list', '- hosts: all\n  environment:\n    «»- A: 1', 'wrong-type', ['mapping']],
];

const TASKS: Case[] = [
  ['text', '- «uptime»', 'wrong-type', ['a task must be a mapping']],
  ['a module without arguments', '- «debug»', 'wrong-type', ['colon']],
  ['no module', '- «»name: x', 'no-module', ['module']],
  ['two modules', '- service: { name: x }\n  «copy»: { dest: y }', 'several-modules', ['`service` and `copy`']],
  ['block and module', '- block: [{ debug: x }]\n  «service»: {}', 'several-modules', ['block']],
  ['include and module', '- include: x.yaml\n  «service»: {}', 'several-modules', ['include']],
  ['an unknown module', '- «servce»: { name: x }', 'unknown-module', ['`servce`', '`service`']],
  ['a module of Ansible', '- «ansible.builtin.copy»: { dest: x }', 'unknown-module', ['write `copy`']],
  ['a module that has no like here', '- «apt»: { name: jq }', 'unknown-module', ['none of this kind yet']],
  ['a module with another name here', '- «set_fact»: { a: 1 }', 'unknown-module', ['write `set-vars`']],
  ['a module with _', '- «wait_for»: { port: 1 }', 'unknown-module', ['write `wait-for`']],
  ['an unknown keyword', '- debug: x\n  «whn»: y', 'unknown-keyword', ['`whn`', '`when`']],
  ['an unknown keyword without module', '- name: x\n  «registr»: y', 'unknown-keyword', ['`register`']],
  ['with_items', '- debug: x\n  «with_items»: [1]', 'foreign-keyword', ['loop']],
  ['include_tasks', '- «include_tasks»: x.yaml', 'foreign-keyword', ['include: FILE']],
  ['a keyword of plays', '- debug: x\n  «serial»: 1', 'misplaced-keyword', ['belongs to a play']],
  ['listen on a task', '- debug: x\n  «listen»: y', 'misplaced-keyword', ['handler']],
  ['register with a bad name', '- debug: x\n  register: «my-result»', 'wrong-value', ['letters']],
  ['rescue without block', '- «»rescue: [{ debug: x }]', 'missing-keyword', ['block']],
  ['an empty block', '- block: «[]»', 'wrong-value', ['list of tasks']],
  ['a template in a condition', '- debug: x\n  when: «"{{ a }} == 1"»', 'template-in-expression', ['CEL: a == 1']],
  ['a template in a loop', '- debug: x\n  loop: «"{{ a }}"»', 'template-in-expression', ['CEL: a']],
  ['a CEL error', '- debug: x\n  when: a ==«»', 'expression-syntax', []],
  ['a CEL error in a list', '- debug: x\n  when:\n    - true\n    - a «=» b', 'expression-syntax', []],
  ['a condition that is a number', '- debug: x\n  when: «1»', 'wrong-type', ['expression']],
  ['a template error', '- debug: "a «»{{ b"', 'template-syntax', ['closed']],
  ['a template error in a block of text', '- debug: |\n    first\n    second «»{{ b', 'template-syntax', ['closed']],
  ['a Jinja filter', `- debug: "{{ x «|» default('y') }}"`, 'foreign-template', ['{{default x "y"}}']],
  ['a template error in a variable', '- debug: x\n  vars: { a: "«»{{ b" }', 'template-syntax', ['closed']],
  ['a register that hides behind host', '- debug: x\n  register: «host»', 'reserved-name', ['the host itself']],
  ['a variable that hides', '- debug: x\n  vars: { «groups»: 1 }', 'reserved-name', ['groups']],
  [
    'a loop variable that hides',
    '- debug: x\n  loop: [1]\n  loop_control: { loop_var: «run» }',
    'reserved-name',
    ['run'],
  ],
  ['a set variable that hides', '- set-vars: { «inputs»: 1 }', 'reserved-name', ['inputs']],
  ['loop_control without loop', '- debug: x\n  «loop_control»: { loop_var: a }', 'loop-control-alone', ['loop']],
  [
    'loop_control with a typo',
    '- debug: x\n  loop: [1]\n  loop_control: { «lop_var»: a }',
    'unknown-key',
    ['`loop_var`'],
  ],
  ['a duration of a wrong form', '- debug: x\n  timeout: «5 minutes»', 'wrong-value', ['1h30m']],
  ['retries as text', '- debug: x\n  retries: «many»', 'wrong-type', ['whole number']],
  ['a number that is quoted', '- debug: x\n  throttle: «"2"»', 'wrong-type', ['leave the quotes out: 2']],
  ['a template where none is possible', '- debug: x\n  throttle: «"{{ n }}"»', 'wrong-type', ['whole number']],
  ['an include that is a template', '- include: «"{{ x }}.yaml"»', 'include-template', ['when']],
  ['an include that is missing', '- include: «nothing.yaml»', 'file-not-found', ['no such file']],
  ['an expression argument with a template', '- assert: «"{{ a }}"»', 'template-in-expression', ['CEL: a']],
  ['an expression argument with a mistake', '- assert: { that: [a, b ==«»] }', 'expression-syntax', []],
];

describe('a bad playbook', () => {
  it.each(PLAYBOOKS)('%s', (_name, source, code, words) => check(source, code, words));
});

describe('a bad play', () => {
  it.each(PLAYS)('%s', (_name, source, code, words) => {
    check(`plays:\n${source.replaceAll(/^/gm, '  ')}\n`, code, words);
  });
});

describe('a bad task', () => {
  it.each(TASKS)('%s', (_name, source, code, words) => {
    check(`plays:\n  - hosts: all\n    tasks:\n${source.replaceAll(/^/gm, '      ')}\n`, code, words);
  });
});

it('a playbook as Ansible has it: every word to change in one go', () => {
  const text = `- hosts: all
  become: yes
  vars_files: [x.yml]
  roles: [k3s]
  tasks:
    - name: Install
      ansible.builtin.copy: src=a dest=/b mode=0644
      with_items: "{{ files }}"
      when: "{{ x }}"
    - include_tasks: more.yml
    - debug: msg="{{ y | upper }}"
`;
  const { diagnostics } = parsePlaybook(parseDocument(text, 'p.yaml'), testRegistry);
  expect(diagnostics.map(({ code, place }) => `${place?.line} ${code}`).sort()).toEqual([
    '1 playbook-is-list',
    '10 foreign-keyword',
    '11 foreign-template',
    '2 wrong-type',
    '3 foreign-keyword',
    '4 foreign-keyword',
    '7 unknown-module',
    '8 foreign-keyword',
    '9 template-in-expression',
  ]);
});

it('reports everything in one go, and what is right is still there', () => {
  const text =
    'plays:\n  - hosts: all\n    tasks:\n      - nope: 1\n      - debug: "{{"\n      - debug: fine\n        whn: x\n';
  const { playbook, diagnostics } = parsePlaybook(parseDocument(text, 'p.yaml'), testRegistry);
  expect(diagnostics.map(({ code }) => code)).toEqual(['unknown-module', 'template-syntax', 'unknown-keyword']);
  expect(playbook?.plays[0]?.tasks.map(({ id }) => id)).toEqual(['plays[0].tasks[1]', 'plays[0].tasks[2]']);
});
