import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { file } from '../../../modules/files/file.ts';
import { link } from '../../../modules/files/link.ts';
import { localTarget } from '../../support/local-target.ts';
import { fillArgs, type ModuleCase, moduleSuite } from '../../support/module-suite.ts';

const cases: ModuleCase[] = [
  {
    title: 'a new link',
    args: { path: 'ROOT/a link', src: "it's -there" },
    changes: ["ROOT/a link: link to it's -there"],
    facts: { path: 'ROOT/a link', src: "it's -there", kind: 'symbolic' },
    after: (root) => expect(readlinkSync(join(root, 'a link'))).toBe("it's -there"),
  },
  {
    title: 'a target that begins with a dash',
    args: { path: 'ROOT/-l', src: '-x' },
    changes: ['ROOT/-l: link to -x'],
    after: (root) => expect(readlinkSync(join(root, '-l'))).toBe('-x'),
  },
  {
    title: 'already right',
    args: { path: 'ROOT/link', src: 'x' },
    before: (root) => symlinkSync('x', join(root, 'link')),
    changes: [],
    facts: { src: 'x' },
  },
  {
    title: 'a link that leads to another directory',
    args: { path: 'ROOT/link', src: 'new' },
    before: (root) => {
      mkdirSync(join(root, 'old'));
      mkdirSync(join(root, 'new'));
      symlinkSync('old', join(root, 'link'));
    },
    changes: ['ROOT/link: link to new'],
    after: (root) => expect(readlinkSync(join(root, 'link'))).toBe('new'),
  },
  {
    title: 'a file in the way',
    args: { path: 'ROOT/file', src: 'x' },
    before: (root) => writeFileSync(join(root, 'file'), 'precious'),
    changes: [],
    fails: /is a file, not the link/,
  },
  {
    title: 'in the place of a file, by force',
    args: { path: 'ROOT/file', src: 'x', force: true },
    before: (root) => writeFileSync(join(root, 'file'), 'precious', { mode: 0o600 }),
    changes: ['ROOT/file: link to x'],
    after: (root) => expect(readlinkSync(join(root, 'file'))).toBe('x'),
  },
  {
    title: 'never in the place of a directory',
    args: { path: 'ROOT/dir', src: 'x', force: true },
    before: (root) => mkdirSync(join(root, 'dir')),
    changes: [],
    fails: /is a directory/,
  },
  {
    title: 'a hard link',
    args: { path: 'ROOT/second', src: 'ROOT/first', kind: 'hard' },
    before: (root) => writeFileSync(join(root, 'first'), 'one'),
    changes: ['ROOT/second: hard link to ROOT/first'],
    after: (root) => {
      expect(statSync(join(root, 'second')).ino).toBe(statSync(join(root, 'first')).ino);
      expect(readFileSync(join(root, 'second'), 'utf8')).toBe('one');
    },
  },
  {
    title: 'a hard link that is there',
    args: { path: 'ROOT/second', src: 'ROOT/first', kind: 'hard' },
    before: (root) => {
      writeFileSync(join(root, 'first'), 'one');
      linkSync(join(root, 'first'), join(root, 'second'));
    },
    changes: [],
  },
  {
    title: 'a hard link to nothing',
    args: { path: 'ROOT/second', src: 'ROOT/none', kind: 'hard' },
    changes: [],
    fails: /none/,
    warns: /no such file/,
  },
];

moduleSuite(link, cases);

test('a hard link is taken back also after it was removed and put back from its copy', async () => {
  const target = localTarget();
  const [first, second] = ['first', 'second'].map((name) => join(target.root, name)) as [string, string];
  writeFileSync(first, 'one');
  const made = await link.plan(fillArgs(link, { path: second, src: first, kind: 'hard' }) as never, target.read);
  const { undo } = await link.apply!(made.next!, target.write);
  const removal = await file.plan(fillArgs(file, { path: second, state: 'absent' }) as never, target.read);
  const removed = await file.apply!(removal.next!, target.write);
  await file.undo!(removed.undo as never, target.write);
  await link.undo!(undo as never, target.write);
  expect(existsSync(second)).toBe(false);
  writeFileSync(second, 'of somebody else');
  await expect(link.undo!(undo as never, target.write)).rejects.toThrow(/changed since/);
  target.dispose();
});
