import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { file } from '../../../modules/files/file.ts';
import { localTarget } from '../../support/local-target.ts';
import { missingRoot } from '../../support/missing.ts';
import { fillArgs, type ModuleCase, moduleSuite } from '../../support/module-suite.ts';
import { needs } from '../../support/needs.ts';

const mode = (root: string, name: string) => (statSync(join(root, name)).mode & 0o7777).toString(8);
const NAMES = ["it's", 'two words', 'a\nb', '-n', '$(id)'];

const cases: ModuleCase[] = [
  {
    title: 'a directory with those above it',
    args: { path: 'ROOT/a b/c', state: 'directory', mode: '0750' },
    changes: ['ROOT/a b: create directory', 'ROOT/a b/c: create directory'],
    facts: { path: 'ROOT/a b/c', exists: true, type: 'directory', mode: '0750' },
    after: (root) => expect([mode(root, 'a b'), mode(root, 'a b/c')]).toEqual(['750', '750']),
  },
  {
    title: 'a directory below one that hands its group down',
    args: { path: 'ROOT/shared/new', state: 'directory' },
    before: (root) => {
      mkdirSync(join(root, 'shared'));
      chmodSync(join(root, 'shared'), 0o2775);
    },
    changes: ['ROOT/shared/new: create directory'],
    facts: { mode: '2755' },
  },
  {
    title: 'a directory that is there',
    args: { path: 'ROOT/dir', state: 'directory', mode: '755' },
    before: (root) => mkdirSync(join(root, 'dir'), { mode: 0o755 }),
    changes: [],
    facts: { mode: '0755', exists: true },
  },
  {
    title: 'octal digits mean all bits, set-id bits of directories included',
    args: { path: 'ROOT/dir', mode: '0755' },
    before: (root) => {
      mkdirSync(join(root, 'dir'));
      chmodSync(join(root, 'dir'), 0o2755);
    },
    changes: ['ROOT/dir: mode 2755 → 0755'],
  },
  {
    title: 'a file where the directory should be',
    args: { path: 'ROOT/x', state: 'directory' },
    before: (root) => writeFileSync(join(root, 'x'), ''),
    changes: [],
    fails: /is a file, not a directory/,
  },
  {
    title: 'touch makes an empty file',
    args: { path: 'ROOT/-new file', state: 'touch', mode: 'u=rw,go=' },
    changes: ['ROOT/-new file: create file'],
    facts: { type: 'file', mode: '0600' },
    after: (root) => expect(readFileSync(join(root, '-new file'), 'utf8')).toBe(''),
  },
  {
    title: 'touch leaves a file alone',
    args: { path: 'ROOT/file', state: 'touch' },
    before: (root) => writeFileSync(join(root, 'file'), 'content'),
    changes: [],
    after: (root) => expect(readFileSync(join(root, 'file'), 'utf8')).toBe('content'),
  },
  {
    title: 'permissions through a link',
    args: { path: 'ROOT/link', state: 'file', mode: 'a-w' },
    before: (root) => {
      writeFileSync(join(root, 'file'), '', { mode: 0o644 });
      symlinkSync('file', join(root, 'link'));
    },
    changes: ['ROOT/link: mode 0644 → 0444'],
    after: (root) => expect(mode(root, 'file')).toBe('444'),
  },
  { title: 'permissions of nothing', args: { path: 'ROOT/none', mode: '0644' }, changes: [], fails: /does not exist/ },
  {
    title: 'absent removes a file',
    args: { path: 'ROOT/file', state: 'absent' },
    before: (root) => writeFileSync(join(root, 'file'), 'precious', { mode: 0o604 }),
    changes: ['ROOT/file: remove file'],
    facts: { exists: false, type: null },
    after: (root) => expect(existsSync(join(root, 'file'))).toBe(false),
  },
  {
    title: 'absent removes a link, not what it leads to',
    args: { path: 'ROOT/link/', state: 'absent' },
    before: (root) => {
      mkdirSync(join(root, 'dir'));
      symlinkSync('dir', join(root, 'link'));
    },
    changes: ['ROOT/link: remove link'],
    after: (root) => expect([existsSync(join(root, 'link')), existsSync(join(root, 'dir'))]).toEqual([false, true]),
  },
  {
    title: 'absent removes a directory with all in it, and can keep it',
    args: { path: 'ROOT/dir', state: 'absent', backup: true },
    before: (root) => {
      mkdirSync(join(root, 'dir/sub'), { recursive: true });
      chmodSync(join(root, 'dir/sub'), 0o700);
      for (const name of NAMES) writeFileSync(join(root, 'dir/sub', name), name, { mode: 0o640 });
      symlinkSync('sub', join(root, 'dir/link'));
    },
    changes: ['ROOT/dir: remove directory'],
  },
  {
    title: 'a directory below a file',
    args: { path: 'ROOT/file/sub/deep', state: 'directory' },
    before: (root) => writeFileSync(join(root, 'file'), ''),
    changes: [],
    fails: /file\/sub\/deep cannot be made: .*\/file is not a directory/,
  },
  {
    title: 'absent and not there',
    args: { path: 'ROOT/none', state: 'absent' },
    changes: [],
    facts: { exists: false },
  },
  {
    title: 'recurse',
    args: { path: 'ROOT/dir', state: 'directory', mode: 'u=rwX,go=rX', recurse: true },
    before: (root) => {
      mkdirSync(join(root, 'dir/sub'), { recursive: true });
      chmodSync(join(root, 'dir/sub'), 0o700);
      for (const name of NAMES) writeFileSync(join(root, 'dir/sub', name), '', { mode: 0o600 });
      writeFileSync(join(root, 'dir/run'), '', { mode: 0o700 });
      writeFileSync(join(root, 'dir/right'), '', { mode: 0o644 });
      writeFileSync(join(root, 'outside'), '', { mode: 0o600 });
      symlinkSync('../outside', join(root, 'dir/link'));
    },
    changes: [`ROOT/dir: permissions of ${NAMES.length + 2} entries below`],
    after: (root) => {
      expect([mode(root, 'dir/sub'), mode(root, 'dir/run'), mode(root, 'outside')]).toEqual(['755', '755', '600']);
      for (const name of NAMES) expect(mode(root, `dir/sub/${name}`)).toBe('644');
    },
  },
];

moduleSuite(file, cases);

test('recurse reaches a name that is not UTF-8', async () => {
  const target = localTarget();
  const odd = Buffer.concat([Buffer.from(join(target.root, "it's ")), Buffer.of(0xff, 0x25, 0x5c), Buffer.from('end')]);
  writeFileSync(odd, '', { mode: 0o600 });
  const args = fillArgs(file, { path: target.root, mode: 'a+r', recurse: true });
  const { next } = await file.plan(args as never, target.read);
  const { undo } = await file.apply!(next!, target.write);
  expect(statSync(odd).mode & 0o777).toBe(0o644);
  await file.undo!(undo as never, target.write);
  expect(statSync(odd).mode & 0o777).toBe(0o600);
  rmSync(odd);
  target.dispose();
});

describe('file: arguments', () => {
  test.each(['/', '//', '/etc', '/usr/', '/var', 'x/..', '.'])('%s is never removed', (path) => {
    expect(() => fillArgs(file, { path, state: 'absent' })).toThrow('never removed');
  });
  test('a mode as a number is refused by the schema', () => {
    expect(() => fillArgs(file, { path: '/x', mode: 420 })).toThrow('must be string');
    expect(() => fillArgs(file, { path: '/x', mode: '0999' })).toThrow('pattern');
  });
});

describe('file: what only root can do', () => {
  test('owner and group by name and by number', needs(missingRoot), async () => {
    const target = localTarget();
    const path = join(target.root, 'file');
    writeFileSync(path, '');
    const plan = (args: object) => file.plan(fillArgs(file, { path, ...args }) as never, target.read);
    expect((await plan({ owner: 'root', group: '0' })).changes).toEqual([]);
    const { changes, next } = await plan({ owner: '1234', group: '1235' });
    expect(changes[0]).toMatchObject({ before: { owner: 'root' }, after: { owner: '1234', group: '1235' } });
    const { undo } = await file.apply!(next!, target.write);
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 1235 });
    await file.undo!(undo as never, target.write);
    expect(statSync(path)).toMatchObject({ uid: 0, gid: 0 });
    target.dispose();
  });
});

test('file: undo refuses what was used since', async () => {
  const target = localTarget();
  const path = join(target.root, 'new');
  const { next } = await file.plan(fillArgs(file, { path, state: 'directory' }) as never, target.read);
  const { undo } = await file.apply!(next!, target.write);
  writeFileSync(join(path, 'used'), '');
  await expect(file.undo!(undo as never, target.write)).rejects.toThrow(/not empty/i);
  expect(existsSync(join(path, 'used'))).toBe(true);
  target.dispose();
});

test('file: a directory that took the place of a file is not removed', async () => {
  const target = localTarget();
  const path = join(target.root, 'x');
  writeFileSync(path, '');
  const { next } = await file.plan(fillArgs(file, { path, state: 'absent' }) as never, target.read);
  rmSync(path);
  mkdirSync(join(path, 'deep'), { recursive: true });
  await expect(file.apply!(next!, target.write)).rejects.toThrow(/directory/);
  expect(existsSync(join(path, 'deep'))).toBe(true);
  target.dispose();
});
