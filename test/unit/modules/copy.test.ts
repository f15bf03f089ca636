import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { copy } from '../../../modules/files/copy.ts';
import { localTarget } from '../../support/local-target.ts';
import { isTooMighty } from '../../support/missing.ts';
import { fillArgs, type ModuleCase, moduleSuite } from '../../support/module-suite.ts';
import { needs } from '../../support/needs.ts';

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const NASTY = ["it's", 'two words', 'a\nb', '-n', '$(id) `id` "x"', '%s %d \\n', 'grün'];
const MANY_NAMES = [
  ...['differs', 'mode', 'gone', 'linked', 'sub/deep', "it's", 'two words', '-n', 'back\\slash', 'a:b', 'a\nb'],
  ...Array.from({ length: 20 }, (_, n) => `plain-${n}`),
];
const content = (path: string) => readFileSync(path, 'utf8');
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

const cases: ModuleCase[] = [
  {
    title: 'a text into a new file',
    args: { content: 'hello\n', dest: 'ROOT/motd' },
    changes: ['ROOT/motd: create'],
    facts: { path: 'ROOT/motd', size: 6, mode: '0644' },
    after: (root) => expect(content(join(root, 'motd'))).toBe('hello\n'),
  },
  {
    title: 'the same text again: nothing',
    args: { content: 'hello\n', dest: 'ROOT/motd' },
    before: (root) => writeFileSync(join(root, 'motd'), 'hello\n'),
    changes: [],
    facts: { path: 'ROOT/motd', size: 6 },
  },
  {
    title: 'an empty text',
    args: { content: '', dest: 'ROOT/empty' },
    changes: ['ROOT/empty: create'],
    facts: { size: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  },
  {
    title: 'other content keeps the permissions',
    args: { content: 'new\n', dest: 'ROOT/script' },
    before: (root) => writeFileSync(join(root, 'script'), 'old\n', { mode: 0o750 }),
    changes: ['ROOT/script: content'],
    facts: { mode: '0750' },
    after: (root) => expect([content(join(root, 'script')), mode(join(root, 'script'))]).toEqual(['new\n', '750']),
  },
  {
    title: 'content and mode together',
    args: { content: 'new\n', dest: 'ROOT/script', mode: '0600' },
    before: (root) => writeFileSync(join(root, 'script'), 'old\n', { mode: 0o644 }),
    changes: ['ROOT/script: content', 'ROOT/script: mode 0644 → 0600'],
    after: (root) => expect(mode(join(root, 'script'))).toBe('600'),
  },
  {
    title: 'the mode alone, in symbols',
    args: { content: 'x', dest: 'ROOT/script', mode: 'u+x,go-r' },
    before: (root) => writeFileSync(join(root, 'script'), 'x', { mode: 0o644 }),
    changes: ['ROOT/script: mode 0644 → 0700'],
    after: (root) => expect(mode(join(root, 'script'))).toBe('700'),
  },
  {
    title: 'every byte value from a file of the control machine',
    args: { src: 'blob', dest: 'ROOT/blob' },
    before: (_, control) => writeFileSync(join(control, 'blob'), ALL_BYTES),
    changes: ['ROOT/blob: create'],
    after: (root) => expect(readFileSync(join(root, 'blob'))).toEqual(ALL_BYTES),
  },
  {
    title: 'into a directory, under its own name',
    args: { src: 'sub/name.conf', dest: 'ROOT/dir', mode: 'preserve' },
    before: (root, control) => {
      mkdirSync(join(control, 'sub'));
      writeFileSync(join(control, 'sub/name.conf'), 'x', { mode: 0o640 });
      mkdirSync(join(root, 'dir'));
    },
    changes: ['ROOT/dir/name.conf: create'],
    facts: { path: 'ROOT/dir/name.conf', mode: '0640' },
  },
  {
    title: 'into a directory that a slash asks for',
    args: { src: 'name.conf', dest: 'ROOT/new/deep/' },
    before: (_, control) => writeFileSync(join(control, 'name.conf'), 'x'),
    changes: ['ROOT/new: create directory', 'ROOT/new/deep: create directory', 'ROOT/new/deep/name.conf: create'],
    roundTrips: { apply: 2 },
    facts: { path: 'ROOT/new/deep/name.conf' },
  },
  {
    title: 'through a link, which stays a link',
    args: { content: 'new', dest: 'ROOT/link' },
    before: (root) => {
      writeFileSync(join(root, 'real'), 'old');
      symlinkSync('real', join(root, 'link'));
    },
    changes: ['ROOT/link: content'],
    after: (root) => expect([content(join(root, 'real')), readlinkSync(join(root, 'link'))]).toEqual(['new', 'real']),
  },
  {
    title: 'through a link that leads nowhere',
    args: { content: 'new', dest: 'ROOT/link' },
    before: (root) => symlinkSync('real', join(root, 'link')),
    changes: ['ROOT/link: create'],
    after: (root) => expect(content(join(root, 'real'))).toBe('new'),
  },
  {
    title: 'force: false leaves what is there',
    args: { content: 'new', dest: 'ROOT/kept', force: false },
    before: (root) => writeFileSync(join(root, 'kept'), 'old'),
    changes: [],
    after: (root) => expect(content(join(root, 'kept'))).toBe('old'),
  },
  {
    title: 'content that its check accepts',
    args: { content: 'good\n', dest: 'ROOT/checked', validate: 'grep -q good %s' },
    changes: ['ROOT/checked: create'],
  },
  {
    title: 'content that its check refuses',
    args: { content: 'bad\n', dest: 'ROOT/checked', validate: 'grep good %s' },
    before: (root) => writeFileSync(join(root, 'checked'), 'good\n'),
    changes: [],
    fails: /was refused/,
  },
  {
    title: 'a directory where the file should be',
    args: { content: 'x', dest: 'ROOT/dir' },
    before: (root) => mkdirSync(join(root, 'dir')),
    changes: [],
    fails: /is a directory, not a file/,
  },
  {
    title: 'a directory to where a file is',
    args: { src: 'tree', dest: 'ROOT/file' },
    before: (root, control) => {
      mkdirSync(join(control, 'tree'));
      writeFileSync(join(root, 'file'), '');
    },
    changes: [],
    fails: /file\/tree cannot be made: .*file is not a directory/,
  },
  {
    title: 'a directory with what is in it',
    args: { src: 'tree', dest: 'ROOT', directory_mode: '0750', mode: '0600' },
    before: (root, control) => {
      mkdirSync(join(control, 'tree/a/b'), { recursive: true });
      mkdirSync(join(control, 'tree/empty'));
      writeFileSync(join(control, 'tree/one'), '1');
      writeFileSync(join(control, 'tree/a/b/two'), '2');
      mkdirSync(join(root, 'tree'));
      writeFileSync(join(root, 'tree/one'), 'uno', { mode: 0o600 });
      writeFileSync(join(root, 'tree/other'), 'stays');
    },
    changes: [
      'ROOT/tree/a: create directory',
      'ROOT/tree/a/b: create directory',
      'ROOT/tree/empty: create directory',
      'ROOT/tree/a/b/two: create',
      'ROOT/tree/one: content',
    ],
    roundTrips: { apply: 2 },
    after: (root) => {
      expect([content(join(root, 'tree/one')), content(join(root, 'tree/a/b/two'))]).toEqual(['1', '2']);
      expect([mode(join(root, 'tree/a')), mode(join(root, 'tree/a/b/two'))]).toEqual(['750', '600']);
    },
  },
  {
    title: 'a directory of many files: those that are right are told apart from those that are not',
    args: { src: 'many/', dest: 'ROOT/many', mode: '0644' },
    before: (root, control) => {
      mkdirSync(join(control, 'many/sub'), { recursive: true });
      mkdirSync(join(root, 'many/sub'), { recursive: true });
      for (const name of MANY_NAMES) {
        writeFileSync(join(control, 'many', name), `content of ${name}`);
        writeFileSync(join(root, 'many', name), `content of ${name}`, { mode: 0o644 });
      }
      writeFileSync(join(root, 'many/differs'), 'content of disagrees');
      chmodSync(join(root, 'many/mode'), 0o600);
      rmSync(join(root, 'many/gone'));
      renameSync(join(root, 'many/linked'), join(root, 'elsewhere'));
      symlinkSync('../elsewhere', join(root, 'many/linked'));
    },
    changes: ['ROOT/many/differs: content', 'ROOT/many/gone: create', 'ROOT/many/mode: mode 0600 → 0644'],
    roundTrips: { plan: 2, apply: 2 },
    after: (root) => {
      for (const name of MANY_NAMES) expect(content(join(root, 'many', name))).toBe(`content of ${name}`);
    },
  },
  {
    title: 'a directory of many files that are all right: one round trip',
    args: { src: 'many/', dest: 'ROOT/many' },
    before: (root, control) => {
      for (const folder of [root, control]) {
        mkdirSync(join(folder, 'many'));
        for (let n = 0; n < 600; n++) writeFileSync(join(folder, 'many', `file-${n}`), `content of ${n}`);
      }
    },
    changes: [],
  },
  {
    title: 'a directory with a slash: only what is in it',
    args: { src: 'tree/', dest: 'ROOT/x' },
    before: (_, control) => {
      mkdirSync(join(control, 'tree'));
      writeFileSync(join(control, 'tree/one'), '1');
    },
    changes: ['ROOT/x: create directory', 'ROOT/x/one: create'],
    roundTrips: { apply: 2 },
  },
  {
    title: 'a missing directory is warned of and fails',
    args: { content: 'x', dest: 'ROOT/no/file' },
    changes: [],
    fails: /no is no directory/,
    warns: /its directory does not exist/,
  },
  ...NASTY.map(
    (name): ModuleCase => ({
      title: `a file named ${JSON.stringify(name)}`,
      args: { content: name, dest: `ROOT/${name}` },
      before: (root) => writeFileSync(join(root, name), 'old'),
      changes: [`ROOT/${name}: content`],
      after: (root) => expect(content(join(root, name))).toBe(name),
    }),
  ),
];

moduleSuite(copy, cases);

describe('copy and a world that moves', () => {
  const target = localTarget();
  const path = join(target.root, 'file 100%s');
  const plan = () => copy.plan(fillArgs(copy, { content: 'wanted', dest: path }) as never, target.read);
  beforeEach(() => writeFileSync(path, 'old'));
  afterAll(() => target.dispose());

  test('a file that changed after the plan is left alone', async () => {
    const { next } = await plan();
    writeFileSync(path, 'edited meanwhile');
    await expect(copy.apply!(next!, target.write)).rejects.toMatchObject({ code: 'changed-since-plan' });
    expect(content(path)).toBe('edited meanwhile');
  });

  test('a file that appeared after the plan is left alone', async () => {
    rmSync(path);
    const { next } = await plan();
    writeFileSync(path, 'somebody else');
    await expect(copy.apply!(next!, target.write)).rejects.toMatchObject({ code: 'changed-since-plan' });
    expect(content(path)).toBe('somebody else');
  });

  test('undo leaves a file alone that was edited since', async () => {
    const { next } = await plan();
    const { undo } = await copy.apply!(next!, target.write);
    writeFileSync(path, 'edited since');
    await expect(copy.undo!(undo as never, target.write)).rejects.toMatchObject({ code: 'changed-since-apply' });
    expect(content(path)).toBe('edited since');
  });

  test('without a backup there is no undo', async () => {
    const args = fillArgs(copy, { content: 'wanted', dest: path, backup: false });
    const { next } = await copy.plan(args as never, target.read);
    expect(await copy.apply!(next!, target.write)).not.toHaveProperty('undo');
  });
});

describe('copy without the right to', () => {
  test('says what is in the way, and become', needs(isTooMighty), async () => {
    const target = localTarget();
    mkdirSync(join(target.root, 'locked/in'), { recursive: true });
    writeFileSync(join(target.root, 'unreadable'), 'x', { mode: 0o200 });
    chmodSync(join(target.root, 'locked'), 0o600);
    for (const name of ['locked/f', 'locked/in/f', 'unreadable']) {
      const args = fillArgs(copy, { content: 'y', dest: join(target.root, name) });
      await expect(copy.plan(args as never, target.read)).rejects.toMatchObject({
        code: 'permission-denied',
        hint: 'set become: true',
      });
    }
    chmodSync(join(target.root, 'locked'), 0o700);
    target.dispose();
  });
});
