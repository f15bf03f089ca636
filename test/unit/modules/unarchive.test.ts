import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unarchive } from '../../../modules/files/unarchive.ts';
import { decompress, readTar } from '../../../modules/shared/tar.ts';
import { missingGnu } from '../../support/missing.ts';
import { type ModuleCase, moduleSuite } from '../../support/module-suite.ts';
import { needs } from '../../support/needs.ts';

const LONG = `${'long '.repeat(30)}/${'x'.repeat(120)}`;

/** Packs a folder of the control machine with the system's tar. */
function pack(control: string, options: string[] = ['-czf']): void {
  const from = join(control, 'pkg-1.0');
  mkdirSync(join(from, 'bin'), { recursive: true });
  chmodSync(join(from, 'bin'), 0o700);
  mkdirSync(join(from, LONG.slice(0, LONG.indexOf('/'))));
  writeFileSync(join(from, 'bin/tool'), Buffer.from([0, 255, 10]));
  chmodSync(join(from, 'bin/tool'), 0o755);
  writeFileSync(join(from, 'empty'), '', { mode: 0o600 });
  writeFileSync(join(from, LONG), 'far');
  symlinkSync('tool', join(from, 'bin/t'));
  const done = spawnSync('tar', [...options, 'a.tar', 'pkg-1.0'], { cwd: control });
  if (done.status !== 0) throw new Error(String(done.stderr));
}

const cases: ModuleCase[] = [
  {
    title: 'into a new directory',
    args: { src: 'a.tar', dest: 'ROOT/opt', strip: 1 },
    before: (_, control) => pack(control),
    changes: [
      'ROOT/opt: create directory',
      'ROOT/opt/bin: create directory',
      `ROOT/opt/${LONG.slice(0, LONG.indexOf('/'))}: create directory`,
      'ROOT/opt/bin/tool: create',
      'ROOT/opt/empty: create',
      `ROOT/opt/${LONG}: create`,
      'ROOT/opt/bin/t: link to tool',
    ],
    roundTrips: { plan: 2, apply: 3 },
    facts: { dest: 'ROOT/opt' },
    after: (root) => {
      expect(readFileSync(join(root, 'opt/bin/t'))).toEqual(Buffer.from([0, 255, 10]));
      expect(statSync(join(root, 'opt/bin/tool')).mode & 0o777).toBe(0o755);
      expect(statSync(join(root, 'opt/bin')).mode & 0o777).toBe(0o700);
      expect(readFileSync(join(root, 'opt', LONG), 'utf8')).toBe('far');
    },
  },
  {
    title: 'what differs',
    args: { src: 'a.tar', dest: 'ROOT' },
    before: (root, control) => {
      pack(control, ['-cf']);
      spawnSync('tar', ['-xf', join(control, 'a.tar'), '--no-same-owner'], { cwd: root });
      writeFileSync(join(root, 'pkg-1.0/empty'), 'not any more');
      spawnSync('ln', ['-sfn', 'other', join(root, 'pkg-1.0/bin/t')]);
    },
    changes: ['ROOT/pkg-1.0/empty: content', 'ROOT/pkg-1.0/bin/t: link to tool'],
    roundTrips: { plan: 2, apply: 2 },
    after: (root) => expect(readlinkSync(join(root, 'pkg-1.0/bin/t'))).toBe('tool'),
  },
  {
    title: 'a file below a link of the same archive',
    args: { src: 'a.tar', dest: 'ROOT' },
    before: (_, control) => {
      symlinkSync('/tmp', join(control, 'l'));
      spawnSync('tar', ['-cf', 'a.tar', 'l'], { cwd: control });
      spawnSync('sh', ['-c', 'rm l; mkdir l; echo x >l/f; tar -rf a.tar l/f'], { cwd: control });
    },
    changes: [],
    fails: /l\/f below a link/,
  },
  {
    title: 'creates',
    args: { src: 'a.tar', dest: 'ROOT/opt', creates: 'ROOT' },
    before: (_, control) => pack(control),
    changes: [],
  },
];

const noTar = missingGnu('tar');

describe('with archives that tar made', needs(noTar), () => moduleSuite(unarchive, cases));

describe('readTar', needs(noTar), () => {
  const make = (setUp: string, ...options: string[]) =>
    spawnSync('sh', ['-c', `d=$(mktemp -d) && cd "$d" && ${setUp}; tar ${options.join(' ')}; cd / && rm -r "$d"`])
      .stdout;

  test.each(['ustar', 'gnu', 'pax'])('the format %s', (format) => {
    const archive = make('echo one >a && ln a b && mkdir d', '-cf', '-', `--format=${format}`, 'a', 'b', 'd');
    const entries = readTar(archive, 'x');
    expect(entries.map(({ path, type, content }) => [path, type, String(content)])).toEqual([
      ['a', 'file', 'one\n'],
      ['b', 'file', 'one\n'],
      ['d', 'directory', ''],
    ]);
    expect(readTar(decompress(zstdCompressSync(archive), 'x'), 'x')).toEqual(entries);
  });

  test.each([
    ['a path that leads out', () => make('echo x >a', '-cPf', '-', '--transform=s,^,../,', 'a'), /leads out/],
    ['an absolute path', () => make('echo x >a', '-cPf', '-', '--transform=s,^,/tmp/,', 'a'), /leads out/],
    ['a pipe', () => make('mkfifo p', '-cf', '-', 'p'), /not unpacked/],
    ['an archive cut short', () => make('seq 999 >a', '-cf', '-', 'a').subarray(0, 1024), /too early/],
    ['something else', () => Buffer.alloc(2048, 'x'), /no tar archive/],
    ['nothing', () => Buffer.alloc(1024), /nothing in it/],
  ])('%s is refused', (_, archive, problem) => {
    expect(() => readTar(archive(), 'x')).toThrow(problem);
  });

  test('other archives are named', () => {
    expect(() => decompress(Buffer.from('PK\x03\x04'), 'x.zip')).toThrow('x.zip is a zip archive');
    expect(() => decompress(Buffer.from([0x1f, 0x8b, 8, 0]), 'x.tgz')).toThrow('x.tgz is damaged');
  });
});
