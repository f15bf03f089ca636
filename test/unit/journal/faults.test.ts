import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../runner/events.ts';
import { Emitter } from '../../../runner/journal/emitter.ts';
import { Masker } from '../../../runner/journal/masker.ts';
import { readJournal } from '../../../runner/journal/read.ts';
import { lockRun } from '../../../runner/journal/run-lock.ts';
import { needs } from '../../support/needs.ts';
import { MAIN, ROOT, supportFile } from '../../support/program.ts';
import { reeveSync } from '../../support/reeve-sync.ts';
import { runText } from '../../support/run-playbook.ts';
import { large } from '../../support/size.ts';
import { snapshotTree } from '../../support/tree.ts';

/** What is written can be written again: after a loss of power nobody can tell whether an effect that began has happened. */
const PLAYBOOK = `
plays:
  - hosts: all
    serial: 1
    vars: { here: "{{ base }}/{{ host.name }}" }
    tasks:
      - { name: folder, file: { path: "{{ here }}", state: directory } }
      - { name: one, copy: { content: "one\\n", dest: "{{ here }}/one" }, notify: told }
      - { name: each, copy: { content: "{{ item }}", dest: "{{ here }}/{{ item }}" }, loop: [a, b] }
      - { name: line, lineinfile: { path: "{{ here }}/one", line: two } }
    handlers:
      - { name: told, copy: { content: "told\\n", dest: "{{ here }}/told" } }
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-faults-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function prepare(name: string, playbook = PLAYBOOK) {
  const folder = join(dir, name);
  mkdirSync(join(folder, 'base'), { recursive: true });
  const at = {
    base: join(folder, 'base'),
    playbook: join(folder, 'play.yaml'),
    inventory: join(folder, 'inventory.yaml'),
    runs: join(folder, 'runs'),
  };
  writeFileSync(at.playbook, playbook);
  writeFileSync(
    at.inventory,
    `reeve: 1\nall:\n  vars: { transport: local, base: '${at.base}', reeve_dir: '${folder}/state' }\n  hosts: { x: , y: }\n`,
  );
  return at;
}
type Place = ReturnType<typeof prepare>;

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 600_000 });
const run = (at: Place, event: number, fault = '') =>
  node(supportFile('run-and-die'), at.playbook, at.inventory, at.runs, String(event), fault);
const reeve = (at: Place, command: string, ...more: string[]) => reeveSync([command, ...more, '--runs', at.runs]);
const file = (at: Place) => join(at.runs, readdirSync(at.runs)[0]!, 'events.jsonl');
const journal = (at: Place): RunEvent[] => readJournal(file(at)).events;
const left = (at: Place) => snapshotTree(at.base);

describe('a loss of power', () => {
  it('leaves a journal that announces all that was done, and resume ends where an undisturbed run does', large, () => {
    const whole = prepare('whole');
    expect(run(whole, 0, 'power').status).toBe(0);
    const wanted = left(whole);
    const all = journal(whole);
    // Right after each effect, before its end can be on disk; and two of the beginnings.
    const ends = all.filter(({ type }) => type === 'effect-ended');
    const sample = [
      ...ends.filter((_, n) => n % 2 === 0),
      ...all.filter(({ type }) => type === 'effect-started').slice(2, 4),
    ];
    for (const { seq, type } of sample) {
      const at = prepare(`power-${seq}`);
      expect(run(at, seq, 'power').signal).toBe('SIGKILL');
      const known = journal(at).filter((event) => event.type === 'effect-started');
      const done = all.filter((event) => event.type === 'effect-started' && event.seq < seq).length;
      expect(known.length, `killed at ${seq} ${type}`).toBeGreaterThanOrEqual(
        type === 'effect-ended' ? done : done - 1,
      );
      const resumed = reeve(at, 'resume', 'last');
      expect([resumed.status, resumed.stderr]).toEqual([0, '']);
      expect(left(at)).toEqual(wanted);
    }
  });
});

describe('a disk that is full', () => {
  it(
    '(a write that fails half-way) stops the run before the next effect and says so; with room again resume goes on',
    large,
    () => {
      const whole = prepare('whole');
      run(whole, 0);
      const begins = journal(whole).filter(({ type }) => type === 'effect-started');
      const at = prepare('full');
      const stopped = run(at, begins[3]!.seq, 'full');
      expect(stopped.status).toBe(1);
      expect(stopped.stdout + stopped.stderr).toContain('no space left on device');
      // Three effects were announced; the fourth one was not to be, and no other host begins.
      expect(Object.keys(left(at)).filter((path) => path.startsWith('y'))).toEqual([]);
      expect(existsSync(join(at.base, 'x/b'))).toBe(false);
      expect(reeve(at, 'resume', 'last').status).toBe(0);
      expect(left(at)).toEqual(left(whole));
    },
  );

  it('(a small tmpfs) does the same with the real command line', needs(noTmpfs()), () => {
    const small = mountTmpfs('size=64k');
    try {
      const at = prepare('tmpfs', PLAYBOOK.replace('[a, b]', `[${Array.from({ length: 200 }, (_, n) => `f${n}`)}]`));
      const stopped = node(MAIN, 'run', at.playbook, '-i', at.inventory, '--runs', join(small, 'runs'));
      expect(stopped.status).toBe(1);
      expect(stopped.stdout + stopped.stderr).toMatch(/cannot be written|ENOSPC|no space left/);
      expect(existsSync(join(at.base, 'x/f0'))).toBe(true);
      expect(existsSync(join(at.base, 'x/f199'))).toBe(false);
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

/** A tmpfs that tests may fill or make read-only. */
function mountTmpfs(options: string): string {
  const path = join(dir, 'tmpfs');
  mkdirSync(path);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'reeve', path]).status).toBe(0);
  return path;
}

/** Why there can be no tmpfs: not every root may mount one. */
function noTmpfs(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'reeve-tmpfs-'));
  const mayMount = spawnSync('mount', ['-t', 'tmpfs', 'reeve', path]).status === 0;
  if (mayMount) spawnSync('umount', [path]);
  rmdirSync(path);
  return mayMount ? undefined : 'the right to mount a tmpfs is needed';
}

describe('a journal that cannot be written any more', () => {
  it('(its file system has gone read-only in mid-run) stops the run before the next effect and says so', large, () => {
    const whole = prepare('whole');
    run(whole, 0);
    const at = prepare('gone');
    const stopped = run(at, journal(whole).filter(({ type }) => type === 'effect-started')[3]!.seq, 'readonly');
    expect(stopped.status).toBe(1);
    expect(stopped.stdout + stopped.stderr).toContain('read-only file system');
    expect(Object.keys(left(at)).filter((path) => path.startsWith('y'))).toEqual([]);
    expect(existsSync(join(at.base, 'x/b'))).toBe(false);
    expect(reeve(at, 'resume', 'last').status).toBe(0);
    expect(left(at)).toEqual(left(whole));
  });

  it('(a real file system made read-only after the run died) is no reason to change anything; it can still be read', {
    ...needs(noTmpfs()),
    ...large,
  }, () => {
    const mounted = mountTmpfs('size=4m');
    try {
      const at = { ...prepare('remount'), runs: join(mounted, 'runs') };
      expect(run(at, 14).signal).toBe('SIGKILL');
      const before = left(at);
      expect(spawnSync('mount', ['-o', 'remount,ro', mounted]).status).toBe(0);
      const refused = reeve(at, 'resume', 'last');
      expect([refused.status, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/journal-failed|cannot be written|read-only/i),
      ]);
      expect(refused.stderr).not.toContain('This is a bug');
      const begun = node(MAIN, 'run', at.playbook, '-i', at.inventory, '--runs', at.runs);
      expect([begun.status, begun.stderr]).toEqual([1, expect.stringContaining('--runs')]);
      expect(left(at)).toEqual(before);
      for (const command of ['status', 'history', 'report']) {
        expect(reeve(at, command, ...(command === 'report' ? ['last'] : [])).status, command).toBe(0);
      }
      const note = reeve(at, 'note', 'last', 'x');
      expect([note.status, note.stderr]).toEqual([1, expect.not.stringContaining('This is a bug')]);
      expect(spawnSync('mount', ['-o', 'remount,rw', mounted]).status).toBe(0);
      expect(reeve(at, 'resume', 'last').status).toBe(0);
    } finally {
      spawnSync('umount', [mounted]);
    }
  });
});

it('a folder for runs that cannot be written is an error before anything is done', () => {
  const at = prepare('readonly');
  // Nobody can write there, root neither.
  const result = reeveSync(['run', at.playbook, '-i', at.inventory, '--runs', '/proc/reeve']);
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('--runs');
  expect(readdirSync(at.base)).toEqual([]);
});

describe('a clock that jumps back', () => {
  it('never makes the record run backwards', () => {
    const times = [5_000, 9_000, 1_000, 2_000, 9_500];
    const seen: string[] = [];
    const sink = { handle: (event: RunEvent) => void seen.push(event.at) };
    const emitter = new Emitter('run', [sink], new Masker(), undefined, () => new Date(times.shift()!));
    for (let n = 0; n < 5; n++) emitter.emit({ type: 'note', text: 'x' });
    expect(seen.map((at) => Date.parse(at))).toEqual([5_000, 9_000, 9_000, 9_000, 9_500]);
  });

  it(
    'before a resume neither: its events follow those of the run, and what is shown of it is not negative',
    large,
    () => {
      const at = prepare('back');
      expect(run(at, 14).signal).toBe('SIGKILL');
      // The same as a clock that is a year behind: the run has been in what is now the future.
      const later = (text: string) =>
        text.replaceAll(
          /"(at|startedAt)":( ?)"20(\d\d)-/g,
          (_all, key, space, year) => `"${key}":${space}"20${Number(year) + 1}-`,
        );
      for (const name of ['events.jsonl', 'run.json']) {
        const path = join(file(at), '..', name);
        writeFileSync(path, later(readFileSync(path, 'utf8')));
      }
      const status = reeve(at, 'status');
      expect([status.status, status.stdout]).toEqual([0, expect.not.stringMatching(/-\d+(\.\d)? s|NaN/)]);
      expect(reeve(at, 'resume', 'last').status).toBe(0);
      const times = journal(at).map((event) => Date.parse(event.at));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      for (const event of journal(at)) if ('duration' in event) expect(event.duration).toBeGreaterThanOrEqual(0);
      for (const command of ['history', 'status', 'report']) {
        const { stdout } = reeve(at, command, ...(command === 'report' ? ['last'] : []));
        expect(stdout).not.toMatch(/(^|\s)-\d+(\.\d)? s|NaN/);
      }
    },
  );

  it('harms no run: every task ends, no duration is negative', async () => {
    const now = Date.now;
    let jumps = 0;
    try {
      const { exitCode, events } = await runText({
        playbook:
          'plays: [{ hosts: a, tasks: [{ name: slow, shell: "sleep 0.2; echo x" }, { name: next, shell: "echo y" }] }]',
        onEvent: (event) => {
          if (event.type !== 'effect-started') return;
          jumps++;
          const behind = jumps * 3_600_000;
          Date.now = () => now() - behind;
        },
      });
      expect([exitCode, jumps]).toEqual([0, 2]);
      for (const event of events) if ('duration' in event) expect(event.duration).toBeGreaterThanOrEqual(0);
    } finally {
      Date.now = now;
    }
  });
});

describe('two at once', () => {
  const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.on('close', done));

  it('of six resumes of one run exactly one goes on, the others exit with 6', large, async () => {
    const at = prepare('twice');
    expect(run(at, 14).signal).toBe('SIGKILL');
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, [MAIN, 'resume', 'last', '--runs', at.runs], {
        cwd: ROOT,
        stdio: 'ignore',
      }),
    );
    const codes = await Promise.all(children.map(ended));
    expect(codes.sort()).toEqual([0, 6, 6, 6, 6, 6]);
    expect(journal(at).filter(({ type }) => type === 'run-resumed')).toHaveLength(1);
  });

  it('a dead owner is taken over, a live one is not, and giving back twice takes nothing from the next', () => {
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    writeFileSync(join(dir, 'pid.7'), JSON.stringify({ pid: dead, host: 'no such machine', started: '1' }));
    expect(() => lockRun(dir)).toThrow('no such machine');
    writeFileSync(
      join(dir, 'pid.7'),
      JSON.stringify({ pid: process.pid, host: 'x', started: '' })
        .replace('"x"', JSON.stringify(spawnSync('hostname', { encoding: 'utf8' }).stdout.trim()))
        .replace('""', '"1"'),
    );
    const unlock = lockRun(dir);
    expect(() => lockRun(dir)).toThrow('going on at this moment');
    unlock();
    const next = lockRun(dir);
    unlock();
    expect(() => lockRun(dir)).toThrow('going on at this moment');
    next();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a damaged journal', () => {
  it('cut off anywhere is read up to its last whole line', () => {
    const at = prepare('cut');
    run(at, 0);
    const bytes = readFileSync(file(at));
    const all = journal(at);
    const cut = join(dir, 'cut.jsonl');
    for (let size = 0; size < bytes.length; size += 37) {
      writeFileSync(cut, bytes.subarray(0, size));
      const { events, length } = readJournal(cut);
      expect(events).toEqual(all.slice(0, events.length));
      expect(length).toBeLessThanOrEqual(size);
      expect(bytes.subarray(length, size).includes(0x0a)).toBe(false);
    }
  });

  it('and truncated by hand, is gone on with', large, () => {
    const at = prepare('truncated');
    run(at, 0);
    const wanted = left(at);
    const bytes = readFileSync(file(at));
    writeFileSync(file(at), bytes.subarray(0, Math.floor(bytes.length / 2)));
    const { status, stderr } = reeve(at, 'resume', 'last');
    expect([status, stderr]).toEqual([0, '']);
    expect(left(at)).toEqual(wanted);
  });

  it.each(['missing', 'empty'])(
    '%s, of a run that died before its first event, is gone on with from the start',
    (how) => {
      const at = prepare(how);
      run(at, 1);
      if (how === 'missing') rmSync(file(at));
      else writeFileSync(file(at), '');
      const status = reeve(at, 'status');
      expect([status.stdout, status.stderr]).toEqual([expect.stringMatching(/^play: died: .* heard of \d/), '']);
      for (const command of ['report', 'history', 'rollback']) {
        const { status: code, stderr } = reeve(at, command, ...(command === 'history' ? [] : ['last']));
        expect([command, code, stderr]).toEqual([command, 0, '']);
      }
      expect(reeve(at, 'resume', 'last').status).toBe(0);
      expect(
        journal(at)
          .map(({ type }) => type)
          .slice(0, 2),
      ).toEqual(['run-started', 'run-resumed']);
      expect(reeve(at, 'status').stdout).toMatch(/^play: done\n/);
    },
  );

  it('with a broken line in its middle is refused, with the line', () => {
    const at = prepare('broken');
    run(at, 14);
    const lines = readFileSync(file(at), 'utf8').split('\n');
    lines[4] = '{"v":1,"se';
    writeFileSync(file(at), lines.join('\n'));
    for (const command of ['resume', 'status', 'rollback']) {
      const { status, stderr } = reeve(at, command, 'last');
      expect([status, stderr]).toEqual([1, expect.stringContaining('events.jsonl:5: this line is no event')]);
    }
    // The other runs can still be listed.
    expect(reeve(at, 'history').status).toBe(0);
  });
});

it(
  'an output too long for the journal that cannot be kept stops the run before the next effect; what has been done is known',
  large,
  async () => {
    const at = prepare(
      'artefact',
      `plays:
  - hosts: x
    tasks:
      - name: much
        shell: "rm -r {{ runs }}/*/artefacts; echo much >>{{ base }}/log; n=0; while [ $n -lt 9000 ]; do echo 0123456789; n=$((n+1)); done"
        register: much
      - { name: next, shell: "echo next >>{{ base }}/log" }
      - { name: use, copy: { content: "{{ much.stdout }}", dest: "{{ base }}/used" } }
`.replaceAll('{{ runs }}', join(dir, 'artefact/runs')),
    );
    const stopped = reeve(at, 'run', at.playbook, '-i', at.inventory);
    expect([stopped.status, stopped.stdout + stopped.stderr]).toEqual([
      1,
      expect.stringContaining('cannot be written'),
    ]);
    expect(readFileSync(join(at.base, 'log'), 'utf8')).toBe('much\n');
    mkdirSync(join(file(at), '..', 'artefacts'));
    const resumed = reeve(at, 'resume', 'last');
    expect([resumed.status, resumed.stdout]).toEqual([2, expect.stringContaining('much.stdout is not known any more')]);
    expect(readFileSync(join(at.base, 'log'), 'utf8')).toBe('much\nnext\n');
    expect(existsSync(join(at.base, 'used'))).toBe(false);
  },
);
