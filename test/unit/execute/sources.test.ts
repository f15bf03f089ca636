import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Sources } from '../../../runner/execute/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'reeve-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file and a directory are read once for all hosts of a task, and anew for the next', async () => {
  mkdirSync(join(folder, 'tree'));
  const file = join(folder, 'tree', 'file');
  writeFileSync(file, 'one');
  const sources = new Sources(folder);
  const [tree, single] = [await sources.tree('tree'), await sources.file('tree/file')];
  writeFileSync(file, 'two');
  expect(await sources.tree('tree')).toBe(tree);
  expect(await sources.file('tree/file')).toBe(single);
  sources.forget();
  expect((await sources.tree('tree'))!.files[0]!.content.toString()).toBe('two');
  expect((await sources.file('tree/file')).content.toString()).toBe('two');
});

test('a directory comes whole, links followed, in alphabetical order', async () => {
  const root = join(folder, 'whole');
  mkdirSync(join(root, 'b', 'c'), { recursive: true });
  writeFileSync(join(root, 'b', 'c', 'deep'), 'deep');
  writeFileSync(join(root, 'a'), 'a');
  symlinkSync('b', join(root, 'linked'));
  const { directories, files } = (await new Sources(folder).tree('whole'))!;
  expect(directories.map(({ path }) => path)).toEqual(['b', 'b/c', 'linked', 'linked/c']);
  expect(files.map(({ path }) => path)).toEqual(['a', 'b/c/deep', 'linked/c/deep']);
});

test.each([
  ['a link that leads nowhere', (at: string) => symlinkSync('nowhere', at), /leads nowhere/],
  ['a link to itself', (at: string) => symlinkSync('odd', at), /leads to itself/],
  ['a link to a directory that it is in', (at: string) => symlinkSync('.', at), /leads back/],
  ['a pipe', (at: string) => execFileSync('mkfifo', [at]), /neither a file nor a directory/],
  [
    'a name that is not UTF-8',
    (at: string) => writeFileSync(Buffer.concat([Buffer.from(at), Buffer.of(255)]), ''),
    /UTF-8/,
  ],
])('what cannot be copied is named: %s', async (what, make, message) => {
  mkdirSync(join(folder, what));
  make(join(folder, what, 'odd'));
  await expect(new Sources(folder).tree(what)).rejects.toMatchObject({
    code: 'source-unreadable',
    message: expect.stringMatching(message),
  });
});
