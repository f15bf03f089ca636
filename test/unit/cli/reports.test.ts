import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { HANDS } from '../../../runner/cli/runbook/by-hand.ts';
import { MAIN, ROOT } from '../../support/program.ts';
import { type ReeveResult, reeveSync } from '../../support/reeve-sync.ts';
import { large, sampled } from '../../support/size.ts';

const ALL = ['action-log.md', 'github-annotations.txt', 'github-summary.md', 'junit.xml', 'report.html', 'report.json'];
const PLAYBOOK = `
description: Writes a file.
notes: Tell the shop team.
inputs:
  text: { type: string, default: hello, description: What the file says. }
  password: { type: string, secret: true, default: hunter2-secret }
plays:
  - name: Files
    hosts: localhost
    tasks:
      - { name: look, command: { cmd: "echo {{ inputs.password }}", reads: true } }
      - { name: write, copy: { content: "{{ inputs.text }}\\n", dest: "DIR/motd" } }
      - { name: break, command: { cmd: "false", reads: true }, when: "inputs.text == 'bad'" }
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-reports-'));
  writeFileSync(join(dir, 'play.yaml'), PLAYBOOK.replaceAll('DIR', dir));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const ENV = { ...process.env, GITHUB_STEP_SUMMARY: '', REEVE_RUNS: '' };
function reeve(args: string[], env: Record<string, string> = {}): ReeveResult {
  const all = [...args, ...(args[0] === 'runbook' ? [] : ['--runs', join(dir, 'runs')])];
  return reeveSync(all, { env: { ...ENV, ...env } });
}
const run = (...more: string[]) => reeve(['run', join(dir, 'play.yaml'), '--output', 'plain', ...more]);
const folder = () => join(dir, 'runs', readdirSync(join(dir, 'runs'))[0]!);
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');

describe('reports of a run', () => {
  it('every run leaves an action log and a log file that only their owner reads', () => {
    expect(run().status).toBe(0);
    expect(read(folder(), 'action-log.md')).toContain('**Status**: Completed');
    expect(read(folder(), 'action-log.md')).toContain('- Tell the shop team.');
    expect(read(folder(), 'run.log')).toMatch(/^\S+Z INFO +run /);
    for (const file of ['action-log.md', 'run.log']) expect(statSync(join(folder(), file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['hello', 0],
    ['bad', 2],
  ])('--report writes all of them, whether it goes well or not (%s)', (text, code) => {
    const out = join(dir, 'deep/out');
    expect(run('-e', `text=${text}`, '--report', out).status).toBe(code);
    expect(readdirSync(out).sort()).toEqual(ALL);
    expect(JSON.parse(read(out, 'report.json'))).toMatchObject({ exitCode: code, version: 1 });
    for (const file of ALL) expect(read(out, file)).not.toContain('hunter2-secret');
    expect(read(folder(), 'run.log')).not.toContain('hunter2-secret');
  });

  it('nothing in a run tells what a task with no_log was told or found', () => {
    const task = 'name: hidden, no_log: true, shell: "echo quiet-as-a-mouse; echo quiet-as-a-mouse >&2"';
    const loop = 'name: each, no_log: true, shell: "echo {{ item }}", loop: [quiet-as-a-mouse]';
    writeFileSync(join(dir, 'quiet.yaml'), `plays: [{ hosts: localhost, tasks: [{ ${task} }, { ${loop} }] }]\n`);
    const args = ['run', join(dir, 'quiet.yaml'), '--output', 'plain', '-v', '--report', join(dir, 'out')];
    expect(reeve(args).status).toBe(0);
    const written = [
      ...ALL.map((file) => join(dir, 'out', file)),
      ...['events.jsonl', 'run.log'].map((file) => join(folder(), file)),
    ];
    for (const file of written) expect(read(file), file).not.toContain('quiet-as-a-mouse');
  });

  it('writes them after Ctrl-C too', async () => {
    const play = 'plays: [{ hosts: localhost, tasks: [{ name: long, command: { cmd: "sleep 60", reads: true } }] }]\n';
    writeFileSync(join(dir, 'long.yaml'), play);
    const args = [MAIN, 'run', join(dir, 'long.yaml'), '--output', 'json', '--report', join(dir, 'out')];
    const child = spawn(process.execPath, [...args, '--runs', join(dir, 'runs')], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (JSON.parse(line).type === 'task-started') child.kill('SIGINT');
      if (JSON.parse(line).type === 'notice') child.kill('SIGINT');
    });
    const code = await new Promise((done) => child.on('close', done));
    expect(code).toBe(130);
    expect(readdirSync(join(dir, 'out')).sort()).toEqual(ALL);
    expect(read(dir, 'out/action-log.md')).toContain('**Status**: Interrupted');
    expect(read(dir, 'out/junit.xml')).toMatch(/<error .*type="interrupted"/);
  });

  it.each(sampled(['md', 'html', 'json', 'junit'], 1))(
    'report --format %s gives the bytes that --report wrote',
    (format) => {
      run('--report', join(dir, 'out'));
      const file = { md: 'action-log.md', html: 'report.html', json: 'report.json', junit: 'junit.xml' }[format]!;
      const first = reeve(['report', 'last', '--format', format]);
      expect(first.stdout).toBe(read(dir, 'out', file));
      // From anywhere else, and long after.
      const elsewhere = {
        TZ: 'Asia/Kolkata',
        LC_ALL: 'tr_TR.UTF-8',
        LANG: 'tr_TR.UTF-8',
        FORCE_COLOR: '1',
        COLUMNS: '20',
      };
      expect(reeve(['report', folder(), '--format', format, '--output', join(dir, 'again')], elsewhere).status).toBe(0);
      expect(read(dir, 'again')).toBe(first.stdout);
    },
  );

  it('report --format github prints annotations and adds to the summary of the step', () => {
    run('-e', 'text=bad');
    const summary = join(dir, 'summary.md');
    writeFileSync(summary, 'before\n');
    const { stdout } = reeve(['report', 'last', '--format', 'github'], { GITHUB_STEP_SUMMARY: summary });
    expect(stdout).toMatch(/^::error file=.*play\.yaml,line=13,col=\d+,title=break::/);
    expect(read(summary)).toMatch(/^before\n## play: Failed/);
  });

  it('a folder that cannot be written is told and does not change how the run ended', () => {
    writeFileSync(join(dir, 'file'), '');
    const { status, stderr } = run('--report', join(dir, 'file/out'));
    expect(status).toBe(0);
    expect(stderr).toContain('warning: the reports of the run are not written');
    expect(existsSync(join(dir, 'motd'))).toBe(true);
  });

  it('an unknown format is an error that names the nearest', () => {
    run();
    const { status, stderr } = reeve(['report', 'last', '--format', 'junitt']);
    expect(status).toBe(5);
    expect(stderr).toContain('did you mean `--format junit`?');
  });
});

describe('reeve note', () => {
  it('adds a note to the action log of a run that is over', () => {
    run();
    expect(reeve(['note', 'last', 'the shop', 'was slow']).status).toBe(0);
    expect(read(folder(), 'action-log.md')).toMatch(
      new RegExp(`- \\d\\d:\\d\\d:\\d\\d, ${userInfo().username}: the shop was slow`),
    );
    reeve(['note', 'last', 'but nobody called']);
    expect(reeve(['report', 'last']).stdout).toContain('but nobody called');
  });

  it('that was cut off is lost, and those after it are not', large, () => {
    run();
    appendFileSync(join(folder(), 'notes.jsonl'), '{"v":1,"seq":');
    for (const text of ['after a full disk', 'and another']) expect(reeve(['note', 'last', text]).status).toBe(0);
    expect(reeve(['report', 'last']).stdout).toMatch(/after a full disk\n.*and another/);
  });

  it('of a run without a name is refused, as is everything that would take any run for it', () => {
    run();
    for (const command of ['note', 'report', 'status', 'resume', 'rollback']) {
      const { status, stderr } = reeve([command, '', ...(command === 'note' ? ['text'] : [])]);
      expect([command, status, stderr]).toEqual([command, 5, expect.stringContaining('there is no run «»')]);
    }
  });

  it('says nothing for nothing', () => {
    run();
    expect(reeve(['note', 'last']).status).toBe(5);
  });
});

describe('reeve runbook', () => {
  it('writes the playbook down for a person, without connecting and without secrets', () => {
    chmodSync(dir, 0o500);
    const { status, stdout } = reeve(['runbook', join(dir, 'play.yaml'), '-e', 'text=hi']);
    chmodSync(dir, 0o700);
    expect(status).toBe(0);
    expect(stdout).toContain('# Runbook: play');
    expect(stdout).toContain('- Tell the shop team.');
    expect(stdout).toContain('| `text` | `hi` | What the file says. |');
    expect(stdout).not.toContain('hunter2');
    // Its default will do, so nobody must give the password.
    expect(stdout).toMatch(/reeve run .*play\.yaml -i INVENTORY -e text=hi$/m);
    expect(stdout).toMatch(/^3\. \[ \] \*\*break\*\*, on HOST\n\n {3}```sh\n {3}/m);
    expect(stdout).toContain("- only when `inputs.text == 'bad'`");
    expect(stdout).toMatch(/## Rollback[\s\S]*- write \(`copy`\)/);
    expect(existsSync(join(dir, 'runs'))).toBe(false);
  });

  it('of the upgrade playbook has every step, its checks, and what goes back', () => {
    const { stdout } = reeve(['runbook', 'playbooks/upgrade-k3s.yaml', '-e', 'version=v1.31.5+k3s1']);
    for (const step of ['Compare versions', 'Drain', 'Install k3s', 'Wait until all pods are healthy'])
      expect(stdout.match(new RegExp(`^\\d+\\. \\[ \\] \\*\\*${step}\\*\\*`, 'gm')), step).toHaveLength(1);
    expect(stdout).toContain('**Procedure A** (`playbooks/k3s/upgrade-node.yaml`), with `drain_it: true`');
    expect(stdout).toContain('kubectl drain NODE --ignore-daemonsets --timeout=10m\n');
    expect(stdout).toContain('INSTALL_K3S_VERSION=<k3s.target>');
    // Agents go first only when the input says so.
    expect(stdout).toMatch(/### 3\. Agents before the servers\n\nNothing to do/);
    const section = (title: string) => stdout.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;
    expect(section('Before You Start')).toContain('- [ ] Every host has k3s in the role of its group');
    // Also what comes after a drain that only looks.
    expect(section('Before You Start')).toContain('- [ ] The datastore can be saved');
    expect(section('Checks')).toContain('- [ ] Every node runs the target version');
    expect(section('Rollback')).toMatch(
      /Taken back[\s\S]*Install k3s[\s\S]*Not taken back by reeve:[\s\S]*Take a snapshot/,
    );
    expect(section('When to Roll Back')).toContain('fix forward');
    expect(section('Rollback')).toContain('kubectl uncordon NODE');
  });

  it('knows commands by hand only for modules that there are', () => {
    expect(HANDS.filter((name) => !modules.has(name))).toEqual([]);
  });
});
