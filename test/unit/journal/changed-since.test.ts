import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KilledRun } from '../../support/killed-run.ts';
import { large, sampled } from '../../support/size.ts';

/** Killed when `second` begins: the first play is done on both hosts. */
const PLAYBOOK = `
vars: { where: "{{ base }}" }
inputs: { word: { type: string, default: word } }
plays:
  - name: First
    hosts: all
    tasks:
      - include: tasks.yaml
      - { name: told, shell: "echo told-{{ host.name }}", register: told }
      - { name: set, set-vars: { late: "{{ told.stdout }}!" } }
  - name: Second
    hosts: all
    tasks:
      - { name: second, shell: "echo second >>{{ base }}/log" }
      - { name: use, copy: { content: "{{ told.stdout }} {{ late }} {{ inputs.word }}\\n", dest: "{{ where }}/{{ host.name }}" } }
      - { name: file, copy: { src: file.txt, dest: "{{ where }}/file" }, run_once: true }
`;
const TASKS = '- { name: one, shell: "echo one >>{{ base }}/log" }\n';

let run: KilledRun;
const file = (name: string) => join(run.dir, name);
const edit = (name: string, from: string | RegExp, to: string) => {
  const text = readFileSync(file(name), 'utf8');
  const next = text.replace(from, to);
  expect(next).not.toBe(text);
  writeFileSync(file(name), next);
};

beforeEach(() => {
  run = new KilledRun(PLAYBOOK, { hosts: 'x y' });
  writeFileSync(file('tasks.yaml'), TASKS);
  mkdirSync(file('files'));
  writeFileSync(file('files/file.txt'), 'text\n');
  expect(run.run('task-started:second').signal).toBe('SIGKILL');
});
afterEach(() => run[Symbol.dispose]());

const ends = () => {
  expect(run.left()).toMatchObject({ x: 'told-x told-x! word\n', y: 'told-y told-y! word\n', file: 'text\n' });
  expect(run.read('log').split('\n').sort().join(' ').trim()).toBe('one one second second');
};

describe('a change since the run', () => {
  it.each(
    sampled<[string, string, string | RegExp, string]>(
      [
        ['in an included file', 'tasks.yaml', 'echo one', 'echo changed'],
        ['that adds a task to it', 'tasks.yaml', /^/, '- { name: zero, shell: "echo zero >>{{ base }}/log" }\n'],
        ['that removes its tasks', 'tasks.yaml', /.*/s, '[]\n'],
        ['in the play itself', 'play.yaml', '      - include: tasks.yaml\n', ''],
        ['that makes it run nowhere', 'play.yaml', 'hosts: all', 'hosts: x'],
      ],
      1,
    ),
  )('in a play that is done (%s) is told, and neither refuses nor runs', (_what, name, from, to) => {
    edit(name, from, to);
    const { status, stderr } = run.resume();
    expect([status, stderr]).toEqual([
      0,
      'note: play "First" has changed since; it is done on all its hosts and is not run again\n',
    ]);
    ends();
  });

  it.each(
    sampled<[string, string, RegExp | string, string]>(
      [
        ['a comment', 'play.yaml', /^/, '# nothing\n'],
        ['a note for people', 'play.yaml', 'vars:', 'description: what it does\nvars:'],
      ],
      1,
    ),
  )('that is %s does not refuse', (_what, name, from, to) => {
    edit(name, from, to);
    expect(run.resume()).toMatchObject({ status: 0, stderr: '' });
    ends();
  });

  it.each(
    sampled<[string, string, string | RegExp, string, string]>(
      [
        ['the play under way', 'play.yaml', 'echo second', 'echo changed', 'play "Second"'],
        [
          'what a done play registers',
          'play.yaml',
          'echo told-',
          'echo else-',
          'play "First" (what it registers, or sets)',
        ],
        ['what a done play sets', 'play.yaml', 'stdout }}!', 'stdout }}?', 'play "First" (what it registers, or sets)'],
        ['a variable of the playbook', 'play.yaml', '"{{ base }}" }', '"{{ base }}/." }', 'outside of its plays'],
        ['an input', 'play.yaml', 'default: word', 'default: other', 'outside of its plays'],
        ['the inventory', 'inventory.yaml', '  hosts:', '    extra: 1\n  hosts:', 'the inventory'],
        [
          'the number of plays',
          'play.yaml',
          /$/,
          '  - { name: Third, hosts: all, tasks: [] }\n',
          'the number of plays',
        ],
        ['a file that a task reads', 'files/file.txt', 'text', 'other', 'the file files/file.txt'],
      ],
      1,
    ),
  )('in %s refuses, with the difference; --accept-changes goes on', (_what, name, from, to, why) => {
    edit(name, from, to);
    const { status, stderr } = run.resume();
    expect([status, stderr]).toEqual([6, expect.stringContaining(why)]);
    if (!name.startsWith('files')) expect(stderr).toMatch(/^\+[^+]/m);
    expect(run.left().log).toBe('one\none\n');
    expect(run.resume('--accept-changes').status).toBe(0);
    expect(run.read('log')).toMatch(/^one\none\n(second|changed)\n\1\n$/);
  });

  it('in a play that is done stays out of the way of every later resume', large, () => {
    edit('tasks.yaml', /^/, '- { name: zero, shell: "echo zero >>{{ base }}/log" }\n');
    expect(run.resumeAndDie('task-started:use').signal).toBe('SIGKILL');
    expect(run.resumeAndDie('task-started:file').signal).toBe('SIGKILL');
    expect(run.resume()).toMatchObject({ status: 0, stderr: '' });
    ends();
  });

  it('in the path that the playbook is named by is none', () => {
    const other = new KilledRun(
      'plays: [{ hosts: all, tasks: [{ include: tasks.yaml }, { shell: "test -e {{ base }}/ready" }] }]\n',
    );
    try {
      writeFileSync(join(other.dir, 'tasks.yaml'), TASKS);
      const path = relative(join(import.meta.dirname, '../../..'), other.playbook);
      expect(other.reeve('run', path, '-i', other.inventory).status).toBe(2);
      writeFileSync(join(other.base, 'ready'), '');
      expect(other.resume()).toMatchObject({ status: 0, stderr: '' });
    } finally {
      other[Symbol.dispose]();
    }
  });

  it('that moves a play refuses, accepted or not: what it has done could not be told', large, () => {
    edit('play.yaml', 'plays:\n', 'plays:\n  - { name: Before, hosts: all, tasks: [] }\n');
    for (const more of [[], ['--accept-changes']])
      expect(run.resume(...more)).toMatchObject({ status: 6, stderr: expect.stringContaining('stands elsewhere now') });
  });

  it('in a play of which one host is not done refuses', large, () => {
    const other = new KilledRun(PLAYBOOK.replace('hosts: all', 'hosts: all\n    serial: 1'), { hosts: 'x y' });
    try {
      writeFileSync(join(other.dir, 'tasks.yaml'), TASKS);
      mkdirSync(join(other.dir, 'files'));
      writeFileSync(join(other.dir, 'files/file.txt'), 'text\n');
      other.run('batch-ended');
      writeFileSync(join(other.dir, 'tasks.yaml'), TASKS.replace('echo one', 'echo changed'));
      expect(other.resume()).toMatchObject({ status: 6, stderr: expect.stringContaining('play "First"') });
    } finally {
      other[Symbol.dispose]();
    }
  });

  it('that moves what is done runs what is new, and nothing twice, by a second resume neither', large, () => {
    edit(
      'play.yaml',
      '      - { name: second',
      '      - { name: new, shell: "echo new >>{{ base }}/log" }\n      - { name: second',
    );
    expect(run.resume().status).toBe(6);
    expect(run.resumeAndDie('task-started:use', 'accept').signal).toBe('SIGKILL');
    expect(run.resume()).toMatchObject({ status: 0, stderr: '' });
    expect(run.read('log').split('\n').sort().join(' ').trim()).toBe('new new one one second second');
  });
});
