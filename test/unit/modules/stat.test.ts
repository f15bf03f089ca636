import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stat } from '../../../modules/files/stat.ts';
import { type ModuleCase, moduleSuite } from '../../support/module-suite.ts';

const HELLO = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';

const cases: ModuleCase[] = [
  {
    title: 'nothing',
    args: { path: 'ROOT/none' },
    changes: [],
    facts: { path: 'ROOT/none', exists: false, type: null, mode: null, sha256: null, readable: false },
  },
  {
    title: 'a file with an awkward name',
    args: { path: 'ROOT/-it\'s a\n"file" ' },
    before: (root) => writeFileSync(join(root, '-it\'s a\n"file" '), 'hello\n', { mode: 0o640 }),
    changes: [],
    facts: { exists: true, type: 'file', mode: '0640', size: 6, sha256: HELLO, readable: true, link: null, links: 1 },
  },
  {
    title: 'without a checksum',
    args: { path: 'ROOT/file', checksum: false },
    before: (root) => writeFileSync(join(root, 'file'), 'hello\n'),
    changes: [],
    facts: { exists: true, sha256: null },
  },
  {
    title: 'the home directory of the user',
    args: { path: '~/file' },
    before: (root) => writeFileSync(join(root, 'file'), 'hello\n'),
    changes: [],
    facts: { path: 'ROOT/file', exists: true },
  },
  {
    title: 'a directory, named with a slash',
    args: { path: 'ROOT/dir/' },
    before: (root) => mkdirSync(join(root, 'dir'), { mode: 0o700 }),
    changes: [],
    facts: { path: 'ROOT/dir', type: 'directory', mode: '0700', sha256: null },
  },
  {
    title: 'a link with line ends in its target',
    args: { path: 'ROOT/link' },
    before: (root) => symlinkSync('no\nwhere\n\n', join(root, 'link')),
    changes: [],
    facts: { type: 'link', link: 'no\nwhere\n\n', exists: true, sha256: null },
  },
  {
    title: 'what a link leads to',
    args: { path: 'ROOT/link', follow: true },
    before: (root) => {
      writeFileSync(join(root, 'file'), 'hello\n');
      symlinkSync('file', join(root, 'link'));
    },
    changes: [],
    facts: { type: 'file', size: 6, sha256: HELLO, link: 'file' },
  },
  {
    title: 'a link that leads nowhere, followed',
    args: { path: 'ROOT/link', follow: true },
    before: (root) => symlinkSync('nowhere', join(root, 'link')),
    changes: [],
    facts: { exists: false, link: 'nowhere' },
  },
  {
    title: 'a device',
    args: { path: '/dev/null' },
    changes: [],
    facts: { type: 'char', exists: true, writable: true },
    after: () => expect(statSync('/dev/null').isCharacterDevice()).toBe(true),
  },
];

moduleSuite(stat, cases);
