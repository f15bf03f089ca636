import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
