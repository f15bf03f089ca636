import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDocument } from '../../../runner/load/parse.ts';
import type { Block, Task } from '../../../runner/playbook/model.ts';
import { loadPlaybook, parsePlaybook } from '../../../runner/playbook/parse.ts';
import { testRegistry } from './registry.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reeve-include-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, 'p.yaml');
}

const playbookWith = (include: string) => `plays:\n  - hosts: all\n    tasks:\n      - ${include}\n`;
const parse = (file: string) => parsePlaybook(loadDocument(file), testRegistry);

describe('include', () => {
  it('is a block of the tasks of the file, named relative to the including one', () => {
    const file = write({
      'p.yaml': playbookWith('{ include: sub/a.yaml, vars: { x: 1 }, when: y, loop: [1], tags: t }'),
      'sub/a.yaml': '- debug: "{{ x }}"\n- include: b.yaml\n',
      'sub/b.yaml': '- debug: inner\n',
    });
    const block = loadPlaybook(file, testRegistry).plays[0]!.tasks[0] as Block;
    expect(block).toMatchObject({ kind: 'block', include: join(folder, 'sub/a.yaml'), tags: ['t'] });
    expect(Object.keys(block.vars)).toEqual(['x']);
    const inner = (block.steps[1] as Block).steps[0] as Task;
    expect(inner.id).toBe('plays[0].tasks[0].include[1].include[0]');
    expect(inner.place).toMatchObject({ file: join(folder, 'sub/b.yaml'), line: 1, column: 3 });
  });

  it('the same file may be included twice', () => {
    const file = write({
      'p.yaml': `${playbookWith('include: a.yaml')}      - include: a.yaml\n`,
      'a.yaml': '- debug: x\n',
    });
    const [first, second] = loadPlaybook(file, testRegistry).plays[0]!.tasks as Block[];
    expect([first!.steps[0]!.id, second!.steps[0]!.id]).toEqual([
      'plays[0].tasks[0].include[0]',
      'plays[0].tasks[1].include[0]',
    ]);
  });

  it('a cycle is an error that shows every include on the way', () => {
    const file = write({
      'p.yaml': playbookWith('include: a.yaml'),
      'a.yaml': '- include: b.yaml\n',
      'b.yaml': '- debug: x\n- include: ./a.yaml\n',
    });
    const [found] = parse(file).diagnostics;
    expect(found).toMatchObject({
      code: 'include-cycle',
      place: { file: join(folder, 'b.yaml'), line: 2, column: 12 },
    });
    expect(found?.related?.map(({ place }) => [place.file, place.line])).toEqual([
      [file, 4],
      [join(folder, 'a.yaml'), 1],
      [join(folder, 'b.yaml'), 2],
    ]);
  });

  it('files that include each other ever more often are an error', () => {
    const files: Record<string, string> = { 'p.yaml': playbookWith('include: f0.yaml'), 'f20.yaml': '- debug: x\n' };
    for (let i = 0; i < 20; i++) files[`f${i}.yaml`] = `- include: f${i + 1}.yaml\n- include: f${i + 1}.yaml\n`;
    expect(parse(write(files)).diagnostics[0]).toMatchObject({ code: 'too-many-includes' });
  });

  it.each([
    ['a mapping', 'debug: x\n', 'wrong-type', 'list of tasks'],
    ['an empty file', '', 'empty-file', 'empty'],
    ['broken YAML', '- a: "\n', 'yaml-syntax', 'closing'],
    ['a task with a mistake', '- nope: x\n', 'unknown-module', '`nope`'],
  ])('%s', (_name, text, code, word) => {
    const { diagnostics } = parse(write({ 'p.yaml': playbookWith('include: a.yaml'), 'a.yaml': text }));
    expect(diagnostics[0]).toMatchObject({ code, place: { file: join(folder, 'a.yaml') } });
    expect(diagnostics[0]?.message).toContain(word);
  });

  it('stands for handlers among handlers', () => {
    const file = write({
      'p.yaml': 'plays:\n  - hosts: all\n    handlers:\n      - include: h.yaml\n      - { name: b, debug: x }\n',
      'h.yaml': '- { name: a, debug: x }\n',
    });
    const { handlers } = loadPlaybook(file, testRegistry).plays[0]!;
    expect(handlers.map(({ id }) => id)).toEqual(['plays[0].handlers[0].include[0]', 'plays[0].handlers[1]']);
  });
});
