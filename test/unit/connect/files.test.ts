import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import {
  checkFileResult,
  type FileScript,
  readFileResult,
  readFileScript,
  restoreFileScript,
  type WriteFileRequest,
  writeFileScript,
  writtenFile,
} from '../../../runner/connect/files.ts';
import type { ConnectionSpec, Connections } from '../../../runner/connect/types.ts';
import type { FileUndo } from '../../../runner/module.ts';
import { missingRoot } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { tries } from '../../support/size.ts';
import { localSpec } from './support/local-spec.ts';

describeShells('files, %s', ({ command }) => {
  let connections: Connections;
  let spec: ConnectionSpec;
  let folder: string;

  beforeAll(() => {
    connections = createConnections();
    spec = localSpec(command);
  });
  afterAll(() => connections.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "reeve files '"));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const run = (request: string | FileScript) =>
    connections.run(spec, undefined, {
      timeout: 30_000,
      ...(typeof request === 'string' ? { script: request } : request),
    });
  const write = async (request: WriteFileRequest, content: Uint8Array | string): Promise<FileUndo> =>
    writtenFile(request, await run(writeFileScript(request, content)));
  const read = async (path: string) => readFileResult(path, await run(readFileScript(path)));
  const restore = async (undo: FileUndo) => checkFileResult(undo.path, await run(restoreFileScript(undo)));
  const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

  test('any bytes and any name survive', async () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 40 })
      .map((text) => text.toWellFormed().replaceAll(/[/\0]/g, ' '))
      .filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) < 200);
    await fc.assert(
      fc.asyncProperty(name, fc.uint8Array({ maxLength: 3000 }), async (file, content) => {
        const path = join(folder, file);
        await write({ path }, content);
        expect(readFileSync(path).equals(content)).toBe(true);
        expect((await read(path))?.equals(content)).toBe(true);
        rmSync(path);
      }),
      {
        numRuns: tries(60),
        examples: [
          ['-rf', new Uint8Array([0])],
          ['it\'s "\n$(id)`', new Uint8Array([10, 10])],
          ['x\n', new Uint8Array()],
        ],
      },
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a new file is 0644, or what is asked for; undo takes it away again', async () => {
    const path = join(folder, 'new');
    const undo = await write({ path, backupDir: join(folder, 'kept') }, 'x');
    expect(modeOf(path)).toBe('644');
    expect(undo).toEqual({ path });
    await restore(undo);
    expect(existsSync(path)).toBe(false);
    await restore(undo);
    await write({ path, mode: '4750' }, 'x');
    expect(modeOf(path)).toBe('4750');
  });

  test('the first copy of a run removes those of runs long ago, and nothing else', async () => {
    const [old, recent, foreign, run] = [
      '20250101-120000000-0a1b2c',
      '20260101-120000000-0a1b2c',
      'mine',
      '20260201-120000000-0a1b2c',
    ].map((name) => join(folder, 'backups', name)) as [string, string, string, string];
    for (const one of [old, recent, foreign]) {
      mkdirSync(one, { recursive: true });
      writeFileSync(join(one, 'copy'), '');
    }
    const longAgo = Date.now() / 1000 - 100 * 24 * 3600;
    for (const one of [old, foreign]) utimesSync(one, longAgo, longAgo);
    writeFileSync(join(folder, 'file'), 'before');
    await write({ path: join(folder, 'file'), backupDir: run, copyAs: join(run, 'sub', 'name') }, 'after');
    expect(readdirSync(join(folder, 'backups')).sort()).toEqual([
      '20260101-120000000-0a1b2c',
      '20260201-120000000-0a1b2c',
      'mine',
    ]);
    expect(readFileSync(join(run, 'sub', 'name'), 'utf8')).toBe('before');
    expect([modeOf(run), modeOf(join(run, 'sub'))]).toEqual(['700', '700']);
  });

  test('the present mode is kept, a copy too, and undo brings both back', async () => {
    const path = join(folder, 'present');
    const backupDir = join(folder, 'deep', 'kept');
    writeFileSync(path, 'before\n\n');
    chmodSync(path, 0o640);
    const undo = await write({ path, backupDir }, 'after');
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(modeOf(path)).toBe('640');
    expect(modeOf(backupDir)).toBe('700');
    expect(undo).toMatchObject({ path, mode: '0640', owner: String(process.getuid!()) });
    expect(undo.sha256).toBe(createHash('sha256').update('before\n\n').digest('hex'));
    await write({ path, mode: '0600' }, 'again');
    expect(modeOf(path)).toBe('600');
    await restore(undo);
    expect(readFileSync(path, 'utf8')).toBe('before\n\n');
    expect(modeOf(path)).toBe('640');
    await restore(undo);
  });

  test.each([
    ['a text', 'after'],
    ['bytes', new Uint8Array([0])],
  ])('a write of %s that is ended leaves the file as it was, and nothing beside it', async (_, content) => {
    const path = join(folder, 'present');
    writeFileSync(path, 'before');
    // Within the folder, so that the command is ended with it at the latest.
    const validate = `: %s; : >"${path}.begun"; while [ -e "${path}" ]; do sleep 1; done`;
    const abort = new AbortController();
    const ended = connections.run(spec, undefined, {
      timeout: 30_000,
      signal: abort.signal,
      ...writeFileScript({ path, validate }, content),
    });
    const failed = expect(ended).rejects.toThrow();
    await expect.poll(() => existsSync(`${path}.begun`), { timeout: 30_000 }).toBe(true);
    abort.abort();
    await failed;
    await expect.poll(() => readdirSync(folder), { timeout: 30_000 }).toEqual(['present', 'present.begun']);
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  test('a kept copy that was changed or is gone is not put back', async () => {
    const path = join(folder, 'present');
    writeFileSync(path, 'before');
    const undo = await write({ path, backupDir: join(folder, 'kept') }, 'after');
    writeFileSync(undo.backup!, 'tampered');
    await expect(restore(undo)).rejects.toMatchObject({ code: 'file-backup-changed' });
    rmSync(undo.backup!);
    await expect(restore(undo)).rejects.toMatchObject({
      code: 'file-failed',
      message: expect.stringContaining('gone'),
    });
    expect(readFileSync(path, 'utf8')).toBe('after');
  });

  test('links are written through, also dangling and relative ones', async () => {
    mkdirSync(join(folder, 'sub'));
    const path = join(folder, 'link');
    symlinkSync('second', path);
    symlinkSync('sub/real file\n', join(folder, 'second'));
    const undo = await write({ path, backupDir: join(folder, 'kept') }, 'one');
    expect(readFileSync(join(folder, 'sub', 'real file\n'), 'utf8')).toBe('one');
    expect(readlinkSync(path)).toBe('second');
    await restore(undo);
    expect(existsSync(join(folder, 'sub', 'real file\n'))).toBe(false);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  test('a loop of links, a directory, a missing parent and a device are errors', async () => {
    symlinkSync('loop', join(folder, 'loop'));
    mkdirSync(join(folder, 'dir'));
    await expect(write({ path: join(folder, 'loop') }, '')).rejects.toMatchObject({ code: 'file-failed' });
    await expect(write({ path: join(folder, 'dir') }, '')).rejects.toMatchObject({ code: 'file-is-directory' });
    await expect(write({ path: join(folder, 'no', 'x') }, '')).rejects.toMatchObject({ code: 'file-no-parent' });
    await expect(write({ path: '/dev/null' }, '')).rejects.toMatchObject({ code: 'file-special' });
    await expect(read(join(folder, 'dir'))).rejects.toMatchObject({ code: 'file-is-directory' });
    expect(readdirSync(folder).sort()).toEqual(['dir', 'loop']);
  });

  test('a file that is not there reads as undefined', async () => {
    expect(await read(join(folder, 'none'))).toBeUndefined();
    expect((await read('/dev/null'))?.length).toBe(0);
  });

  test('validate sees the new content before it takes its place', async () => {
    const path = join(folder, 'checked');
    writeFileSync(path, 'good old');
    const request = { path, validate: 'grep -q good %s' };
    await write(request, 'good new');
    const failure = write(request, 'bad');
    await expect(failure).rejects.toMatchObject({ code: 'file-refused' });
    await expect(write({ path, validate: 'echo why >&2; exit 1' }, 'good')).rejects.toThrow('why');
    expect(readFileSync(path, 'utf8')).toBe('good new');
    expect(readdirSync(folder)).toEqual(['checked']);
  });

  test('only over what the plan saw', async () => {
    const path = join(folder, 'seen');
    const backupDir = join(folder, 'kept');
    await expect(
      write({ path, present: { sha256: '0'.repeat(64), mode: '0644', owner: '0', group: '0' } }, 'x'),
    ).rejects.toMatchObject({ code: 'file-changed' });
    await write({ path, present: 'absent' }, 'one');
    await expect(write({ path, present: 'absent' }, 'two')).rejects.toMatchObject({ code: 'file-changed' });
    const { uid, gid } = statSync(path);
    const present = {
      sha256: createHash('sha256').update('one').digest('hex'),
      mode: '0644',
      owner: String(uid),
      group: String(gid),
    };
    chmodSync(path, 0o644);
    const undo = await write({ path, backupDir, present }, 'two\n\n');
    expect(readFileSync(path, 'utf8')).toBe('two\n\n');
    expect(modeOf(path)).toBe('644');
    expect(undo).toMatchObject({ mode: '0644', owner: String(uid), group: String(gid), sha256: present.sha256 });
    for (const backup of [{}, { backupDir }]) {
      await expect(write({ path, ...backup, present }, 'three')).rejects.toMatchObject({ code: 'file-changed' });
    }
    expect(readFileSync(path, 'utf8')).toBe('two\n\n');
    expect(readdirSync(backupDir)).toHaveLength(1);
    expect(readdirSync(folder).sort()).toEqual(['kept', 'seen']);
    await restore(undo);
    expect(readFileSync(path, 'utf8')).toBe('one');
  });

  test('a failure leaves the file and its folder as they were', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'before');
    await expect(write({ path, owner: 'no-such-user-here' }, 'x')).rejects.toMatchObject({ code: 'file-failed' });
    await expect(write({ path, mode: 'nonsense' }, 'x')).rejects.toMatchObject({ code: 'file-failed' });
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('owner and group are set and restored (root only)', needs(missingRoot), async () => {
    const path = join(folder, 'owned');
    writeFileSync(path, 'x');
    const undo = await write({ path, owner: '1234', group: '2345', backupDir: join(folder, 'kept') }, 'y');
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
    await write({ path }, 'z');
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
    await write({ path, group: '7' }, 'z');
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 7 });
    await restore(undo);
    expect(statSync(path)).toMatchObject({ uid: 0, gid: 0 });
  });

  test('one write is one round trip', async () => {
    const before = connections.roundTrips.get(spec.host) ?? 0;
    await write({ path: join(folder, 'one'), mode: '0600', backupDir: folder }, 'x'.repeat(5_000));
    expect(connections.roundTrips.get(spec.host)).toBe(before + 1);
  });
});
