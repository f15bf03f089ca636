import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reeveSync } from '../../support/reeve-sync.ts';
import { large } from '../../support/size.ts';
import { snapshotTree } from '../../support/tree.ts';

const PLAYBOOK = `
plays:
  - name: Files
    hosts: all
    vars: { here: "{{ base }}/{{ host.name }}" }
    tasks:
      - { name: folder, file: { path: "{{ here }}/new", state: directory } }
      - { name: copy, copy: { content: "new\\n", dest: "{{ here }}/motd", mode: "0600" } }
      - { name: line, lineinfile: { path: "{{ here }}/motd", line: more } }
      - { name: each, copy: { content: "{{ item }}", dest: "{{ here }}/new/{{ item }}" }, loop: [a, b] }
  - name: Commands
    hosts: all
    vars: { here: "{{ base }}/{{ host.name }}" }
    tasks:
      - { name: act, shell: "echo acted >> {{ base }}/acts" }
      - { name: late, copy: { content: "late\\n", dest: "{{ here }}/late" } }
    rollback:
      - { name: clean up, shell: "echo cleaned >> {{ base }}/acts" }
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-rollback-'));
  for (const host of ['x', 'y']) {
    mkdirSync(join(dir, 'base', host), { recursive: true });
    writeFileSync(join(dir, 'base', host, 'motd'), 'old\n', { mode: 0o644 });
  }
  writeFileSync(join(dir, 'play.yaml'), PLAYBOOK);
  writeFileSync(
    join(dir, 'inventory.yaml'),
    `reeve: 1\nall:\n  vars: { transport: local, base: '${dir}/base', reeve_dir: '${dir}/state' }\n  hosts: { x: , y: }\n`,
  );
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const reeve = (...args: string[]) => reeveSync([...args, '--runs', join(dir, 'runs')]);
const run = () => reeve('run', join(dir, 'play.yaml'), '-i', join(dir, 'inventory.yaml'));

describe('reeve rollback', () => {
  it('brings the trees back to what they were, and says before what it cannot undo', () => {
    const before = snapshotTree(join(dir, 'base'));
    expect(run().status).toBe(0);
    const after = snapshotTree(join(dir, 'base'));
    const check = reeve('rollback', 'last', '--check');
    expect(check.stdout).toMatch(/undo {4}y: late/);
    expect(check.stdout).toMatch(/CANNOT {2}x: act: .*what a command has done is not known/);
    expect(snapshotTree(join(dir, 'base'))).toEqual(after);
    const back = reeve('rollback', 'last', '--yes');
    expect(back.stderr + back.stdout).toContain('Rolled back.');
    expect(back.status).toBe(0);
    const { acts, ...rest } = snapshotTree(join(dir, 'base'));
    expect(rest).toEqual(before);
    expect(acts!.content).toBe('acted\nacted\ncleaned\ncleaned\n');
    expect(reeve('status').stdout).toContain('rolled back');
    expect(reeve('resume', 'last').status).toBe(6);
  });

  it('--to keeps a play and those before it', large, () => {
    run();
    expect(reeve('rollback', 'last', '--to', 'Files', '--yes').status).toBe(0);
    const tree = snapshotTree(join(dir, 'base'));
    expect(tree['x/late']).toBeUndefined();
    expect(tree['x/motd']!.content).toBe('new\nmore\n');
  });

  it('--to with a name that two plays have is refused: it would keep less than was meant', () => {
    writeFileSync(join(dir, 'play.yaml'), PLAYBOOK.replaceAll(/- name: \w+\n {4}hosts/g, '- hosts'));
    run();
    const { status, stderr } = reeve('rollback', 'last', '--yes', '--to', 'all');
    expect([status, stderr]).toEqual([5, expect.stringContaining('several plays are called that')]);
  });

  it('needs a yes: without a terminal and without --yes it is refused, exit code 6', () => {
    run();
    expect(reeve('rollback', 'last').status).toBe(6);
    expect(readFileSync(join(dir, 'base/x/motd'), 'utf8')).toBe('new\nmore\n');
  });

  it(
    'stops at a change that somebody else has changed since, and goes on from there when that is mended',
    large,
    () => {
      run();
      const motd = join(dir, 'base/y/motd');
      const ours = readFileSync(motd);
      writeFileSync(motd, 'an operator was here\n');
      const stopped = reeve('rollback', 'last', '--yes');
      expect(stopped.status).toBe(2);
      expect(stopped.stdout).toMatch(/not undone\s+y: line/);
      expect(stopped.stdout).toMatch(/The rollback stopped: .*\nhint: the earlier content is in /);
      const refused = reeve('resume', 'last');
      expect([refused.status, refused.stderr]).toEqual([
        6,
        expect.stringMatching(/not come to its end\n.*reeve rollback/),
      ]);
      expect(readFileSync(motd, 'utf8')).toBe('an operator was here\n');
      writeFileSync(motd, ours);
      const again = reeve('rollback', 'last', '--yes');
      expect(again.stdout).not.toMatch(/undone\s+y: late/);
      expect(again.status).toBe(0);
      expect(readFileSync(motd, 'utf8')).toBe('old\n');
      expect(reeve('status').stdout).toMatch(/: rolled back\n/);
      expect(reeve('resume', 'last').stderr).toContain('run the playbook again');
    },
  );

  it('runs the tasks that a play has for it also when nothing else goes back, after the changes of that play', () => {
    writeFileSync(
      join(dir, 'play.yaml'),
      `
plays:
  - name: One
    hosts: x
    tasks:
      - { name: made, copy: { content: one, dest: "{{ base }}/x/one" } }
    rollback:
      - { name: late, shell: "ls {{ base }}/x >> {{ base }}/acts" }
  - name: Two
    hosts: x
    tasks:
      - { name: look, command: { cmd: "echo found", reads: true }, register: seen }
      - { name: act, shell: "echo acted >> {{ base }}/acts" }
    rollback:
      - { name: first, tags: cleaning, shell: "echo {{ seen.stdout }} >> {{ base }}/acts" }
`,
    );
    expect(run().status).toBe(0);
    const back = reeve('rollback', 'last', '--yes');
    expect(back.stdout).toMatch(/CANNOT {2}x: act: .*\n {2}run {5}x: the rollback tasks of play "Two"\n {2}undo/);
    expect(back.status).toBe(0);
    expect(readFileSync(join(dir, 'base/acts'), 'utf8')).toBe('acted\nfound\nmotd\n');
    expect(reeve('rollback', 'last', '--yes').stdout).toContain('There is nothing to take back.');
  });

  it('takes a change back where it was made: on the delegate that an item of a loop had named', large, () => {
    writeFileSync(
      join(dir, 'play.yaml'),
      `
plays:
  - hosts: x
    tasks:
      - name: there
        copy: { content: "{{ item }}", dest: "{{ base }}/there-{{ item }}" }
        loop: [x, y]
        delegate_to: "{{ item }}"
`,
    );
    const before = snapshotTree(join(dir, 'base'));
    expect(run().status).toBe(0);
    const back = reeve('rollback', 'last', '--yes');
    expect(back.stdout).toContain('Rolled back.');
    expect(snapshotTree(join(dir, 'base'))).toEqual(before);
  });
});
