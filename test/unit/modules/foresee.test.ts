import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { blockinfile } from '../../../modules/files/blockinfile.ts';
import { copy } from '../../../modules/files/copy.ts';
import { file } from '../../../modules/files/file.ts';
import { lineinfile } from '../../../modules/files/lineinfile.ts';
import { link } from '../../../modules/files/link.ts';
import { replace } from '../../../modules/files/replace.ts';
import { stat } from '../../../modules/files/stat.ts';
import { template } from '../../../modules/files/template.ts';
import { command } from '../../../modules/system/command.ts';
import type { AnyModule, Plan } from '../../../runner/module.ts';
import { type LocalTarget, localTarget } from '../../support/local-target.ts';
import { fillArgs, withRoot } from '../../support/module-suite.ts';
import { snapshotTree } from '../../support/tree.ts';

type Task = [AnyModule, Record<string, unknown>];

const TASKS: Task[] = [
  [file, { path: 'ROOT/etc/app', state: 'directory', mode: '0750' }],
  [file, { path: 'ROOT/etc/app/conf.d', state: 'directory' }],
  [copy, { content: 'a = 1\n', dest: 'ROOT/etc/app/app.conf', mode: '0640' }],
  [lineinfile, { path: 'ROOT/etc/app/app.conf', line: 'b = 2' }],
  [lineinfile, { path: 'ROOT/etc/app/app.conf', regexp: '^a', line: 'a = 3' }],
  [replace, { path: 'ROOT/etc/app/app.conf', regexp: '2$', replace: '4' }],
  [blockinfile, { path: 'ROOT/etc/app/app.conf', block: 'c = 5' }],
  [copy, { src: 'app.conf', dest: 'ROOT/etc/app/conf.d' }],
  [template, { src: 'app.conf', dest: 'ROOT/etc/app/conf.d/', mode: '0600' }],
  [copy, { src: 'tree', dest: 'ROOT/etc/app' }],
  [lineinfile, { path: 'ROOT/etc/app/tree/sub/two', line: 'more' }],
  [file, { path: 'ROOT/etc/app/tree/sub/two', mode: 'go=' }],
  [file, { path: 'ROOT/flag', state: 'touch' }],
  [lineinfile, { path: 'ROOT/flag', line: 'x' }],
  [file, { path: 'ROOT/old', state: 'absent' }],
  [file, { path: 'ROOT/old/inner', state: 'directory' }],
  [file, { path: 'ROOT/in the way', state: 'absent' }],
  [file, { path: 'ROOT/in the way/inner', state: 'directory' }],
  [copy, { content: 'new', dest: 'ROOT/in the way/file' }],
  [copy, { content: 'new', dest: 'ROOT/link' }],
  [lineinfile, { path: 'ROOT/link', line: 'and more' }],
  [link, { path: 'ROOT/etc/app/l', src: 'app.conf' }],
  [link, { path: 'ROOT/etc/app/l', src: 'app.conf' }],
  [file, { path: 'ROOT/etc/app/l', state: 'absent' }],
  [copy, { src: 'tree', dest: 'ROOT/etc/' }],
  [copy, { content: 'b', dest: 'ROOT/etc//tree/./other' }],
  [file, { path: 'ROOT/etc/tree/other', state: 'absent' }],
  [file, { path: 'ROOT/etc/tree/sub/two', state: 'absent' }],
  [link, { path: 'ROOT/etc/app/h', src: 'ROOT/etc/app/app.conf', kind: 'hard' }],
  [file, { path: 'ROOT/etc/app/h', state: 'absent' }],
  [file, { path: 'ROOT/there', mode: '0600' }],
  [lineinfile, { path: 'ROOT/there', line: 'kept its content' }],
  [file, { path: 'ROOT/etc/app/app.conf', mode: '0640' }],
];

let target: LocalTarget;
afterEach(() => target.dispose());

function prepared(): LocalTarget {
  const made = localTarget();
  mkdirSync(join(made.root, 'old/inner'), { recursive: true });
  writeFileSync(join(made.root, 'there'), 'there\n', { mode: 0o644 });
  writeFileSync(join(made.root, 'in the way'), '');
  writeFileSync(join(made.root, 'real'), 'real\n');
  symlinkSync('real', join(made.root, 'link'));
  writeFileSync(join(made.control, 'app.conf'), 'from control\n');
  mkdirSync(join(made.control, 'tree/sub'), { recursive: true });
  writeFileSync(join(made.control, 'tree/sub/two'), '2\n');
  return made;
}

async function plan([module, args]: Task): Promise<Plan> {
  return module.plan(fillArgs(module, withRoot(args, target.root)) as never, target.read);
}

describe('check mode over tasks that build on each other', () => {
  test('foresees exactly what the real run then does, and writes nothing', async () => {
    target = prepared();
    const before = snapshotTree(target.root, { times: true });
    const foreseen: Plan[] = [];
    for (const task of TASKS) {
      const found = await plan(task);
      Object.assign(target.foreseen, found.foresees);
      foreseen.push(found);
    }
    expect(snapshotTree(target.root, { times: true })).toEqual(before);
    target.foreseen = {};
    for (const [index, task] of TASKS.entries()) {
      const real = await plan(task);
      expect(foreseen[index]!.changes, `task ${index}`).toEqual(real.changes);
      const facts = real.changes.length > 0 ? (await task[0].apply!(real.next, target.write)).facts : real.facts;
      expect(facts, `task ${index}`).toEqual(foreseen[index]!.predicted ?? foreseen[index]!.facts);
    }
    expect(target.warnings).toEqual([]);
  });

  test('what cannot be known is unknown, and guards look ahead', async () => {
    target = prepared();
    for (const args of [
      { path: 'ROOT/new', state: 'touch' },
      { path: 'ROOT/old', state: 'absent' },
    ]) {
      Object.assign(target.foreseen, (await plan([file, args])).foresees);
    }
    expect(await plan([stat, { path: 'ROOT/new' }])).toMatchObject({
      unknown: expect.stringContaining('about to be changed'),
    });
    expect((await plan([stat, { path: 'ROOT/there' }])).facts).toMatchObject({ exists: true });
    expect(await plan([command, { cmd: 'x', creates: 'ROOT/new' }])).toMatchObject({ changes: [] });
    expect(await plan([command, { cmd: 'x', removes: 'ROOT/old/inner' }])).toMatchObject({ changes: [] });
    expect((await plan([command, { cmd: 'x', creates: 'ROOT/old' }])).changes).toHaveLength(1);
    await expect(plan([lineinfile, { path: 'ROOT/old/inner/f', line: 'x' }])).rejects.toThrow('does not exist');
  });
});
