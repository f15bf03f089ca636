import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import { batchScripts, checkBatchResult } from '../../../runner/connect/file-batch.ts';
import type { ConnectionSpec, Connections } from '../../../runner/connect/types.ts';
import type { BatchFile } from '../../../runner/module.ts';
import { describeShells } from '../../support/shells.ts';
import { localSpec } from './support/local-spec.ts';

/** Enough for the way over a folder of reeve's own. */
const MANY = Array.from({ length: 20 }, (_, n) => `file ${n}`);

type Entry = [name: string, content: Uint8Array];

describeShells('many files, %s', ({ command }) => {
  let connections: Connections;
  let spec: ConnectionSpec;
  let base: string;
  let folder: string;

  beforeAll(() => {
    connections = createConnections();
    spec = localSpec(command);
  });
  afterAll(() => connections.close());
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "reeve batch '"));
    folder = join(base, 'in');
    mkdirSync(folder);
    return () => rmSync(base, { recursive: true, force: true });
  });

  const file = (
    name: string,
    content: string | Uint8Array,
    options: Partial<BatchFile['options']> = {},
  ): BatchFile => ({
    path: join(folder, name),
    content: Buffer.from(content as Uint8Array),
    options: { present: 'absent', mode: '0644', ...options },
  });
  /** Over what is there, which is kept in `kept`. */
  const over = (name: string, content: string, before: string): BatchFile => {
    writeFileSync(join(folder, name), before, { mode: 0o640 });
    const { uid, gid } = statSync(join(folder, name));
    const sha256 = createHash('sha256').update(before).digest('hex');
    const present = { sha256, mode: '0640', owner: String(uid), group: String(gid) };
    return { ...file(name, content), options: { present, copyAs: join(base, 'kept', name) } };
  };
  async function write(files: BatchFile[]): Promise<void> {
    for (const { files: some, script, ...how } of batchScripts(files, join(base, 'state')))
      checkBatchResult(some, await connections.run(spec, undefined, { script, timeout: 60_000, ...how }));
  }
  const modeOf = (name: string) => (statSync(join(folder, name)).mode & 0o7777).toString(8);
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');

  test('any bytes and any name survive, few and many', async () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 30 })
      .map((one) => one.toWellFormed().replaceAll(/[/\0]/g, ' '))
      .filter((one) => one !== '.' && one !== '..');
    const entry = fc.tuple(name, fc.uint8Array({ maxLength: 400 }) as fc.Arbitrary<Uint8Array>);
    const entries: fc.Arbitrary<Entry[]> = fc.uniqueArray(entry, {
      minLength: 1,
      maxLength: 40,
      selector: ([one]) => one,
    });
    await fc.assert(
      fc.asyncProperty(entries, async (all) => {
        await write(all.map(([one, content]) => file(one, content)));
        expect(readdirSync(folder).sort()).toEqual(all.map(([one]) => one).sort());
        for (const [one, content] of all) expect(readFileSync(join(folder, one)).equals(content)).toBe(true);
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
      }),
      {
        numRuns: 15,
        examples: [
          [
            ['-rf', 'it\'s "\n$(id)`', 'a\\b', '%s%n', 'x\n', '*'].map(
              (one): Entry => [one, Buffer.from('-%d\\n\0\xff', 'latin1')],
            ),
          ],
          [MANY.map((one): Entry => [`-${one}`, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))])],
        ],
      },
    );
    expect(readdirSync(join(base, 'state'))).toEqual([]);
  });

  test.each([
    ['few', MANY.slice(0, 3)],
    ['many', MANY],
  ])('%s: modes, several folders, what is kept, large ones', async (_, names) => {
    mkdirSync(join(folder, 'sub'));
    const files = [
      ...names.map((name) => file(name, name)),
      ...names.map((name) => over(`sub/${name}`, `new ${name}`, `old ${name}`)),
      file('secret', 's', { mode: '4700' }),
      file('large', 'x'.repeat(100_000)),
    ];
    for (const one of files) one.options.copyAs &&= one.options.copyAs.replace('kept/sub', 'kept');
    await write(files);
    for (const name of names) {
      expect([text(name), modeOf(name)]).toEqual([name, '644']);
      expect([text(`sub/${name}`), modeOf(`sub/${name}`)]).toEqual([`new ${name}`, '640']);
      expect(readFileSync(join(base, 'kept', name), 'utf8')).toBe(`old ${name}`);
    }
    expect([modeOf('secret'), text('large').length]).toEqual(['4700', 100_000]);
    expect((statSync(join(base, 'kept')).mode & 0o777).toString(8)).toBe('700');
    expect(readdirSync(folder).sort()).toEqual([...names, 'large', 'secret', 'sub'].sort());
    expect(existsSync(join(base, 'state')) ? readdirSync(join(base, 'state')) : []).toEqual([]);
  });

  test.each([
    ['a new one that is there', (at: string) => writeFileSync(at, 'theirs')],
    ['a new one that is a directory', (at: string) => mkdirSync(at)],
    ['a new one that is a link', (at: string) => symlinkSync('nowhere', at)],
  ])('%s: named, left alone, and nothing stays beside it', async (_, make) => {
    for (const names of [MANY.slice(0, 3), MANY]) {
      make(join(folder, 'file 1'));
      await expect(write(names.map((name) => file(name, 'ours')))).rejects.toMatchObject({
        code: 'file-changed',
        message: expect.stringContaining(`${join(folder, 'file 1')} is no longer`),
      });
      expect(readdirSync(folder)).toEqual(['file 1']);
      rmSync(join(folder, 'file 1'), { recursive: true });
    }
  });

  test('one that changed since it was looked at: none of its folder is written', async () => {
    for (const names of [MANY.slice(0, 3), MANY]) {
      const files = names.map((name) => over(name, 'new', 'old'));
      writeFileSync(join(folder, 'file 2'), 'theirs');
      await expect(write(files)).rejects.toMatchObject({
        code: 'file-changed',
        message: expect.stringContaining(join(folder, 'file 2')),
      });
      expect(names.map(text)).toEqual(names.map((name) => (name === 'file 2' ? 'theirs' : 'old')));
      rmSync(join(base, 'kept'), { recursive: true });
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a folder that hands its group down is written into directly; one that is missing is named', async () => {
    chmodSync(folder, 0o2755);
    await write(MANY.map((name) => file(name, name)));
    expect(readdirSync(folder).sort()).toEqual([...MANY].sort());
    expect(existsSync(join(base, 'state'))).toBe(false);
    const lost = [file('no/a', ''), file('no/b', '')];
    await expect(write(lost)).rejects.toMatchObject({ code: 'file-no-parent' });
  });
});
