import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHosts } from '../../lab/hosts/types.ts';
import { CliFolder, inventoryOf, LOCAL_INVENTORY } from '../../support/cli.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { MAIN } from '../../support/program.ts';
import { large } from '../../support/size.ts';
import { Terminal } from '../../support/terminal.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());
folder.write('inventory.yaml', LOCAL_INVENTORY);
const asking = folder.write('asking.yaml', {
  inputs: { word: { type: 'string', prompt: 'Which word?' }, code: { type: 'string', prompt: 'Code?', secret: true } },
  plays: [
    { name: 'first', hosts: 'all', tasks: [{ debug: 'it is {{ inputs.word }} {{ inputs.code }}' }] },
    { name: 'second', hosts: 'all', confirm: 'Really go on?', tasks: [{ debug: 'gone on' }] },
  ],
});

function reeve(...args: string[]): Terminal {
  return new Terminal([process.execPath, MAIN, ...args], { cwd: folder.dir, env: { HOME: folder.dir } });
}

describe('a person at a terminal', needs(missing('tmux')), () => {
  it('is asked for inputs and for a yes, and no secret is shown', async () => {
    using terminal = reeve('run', asking);
    await terminal.until('Which word?');
    terminal.type('hello', 'Enter');
    await terminal.until('Code?');
    terminal.type('opensesame', 'Enter');
    await terminal.until('Really go on? [y/N]');
    expect(terminal.lines.join('\n')).not.toContain('gone on');
    terminal.type('y', 'Enter');
    const { code, lines } = await terminal.end();
    const text = lines.join('\n');
    expect(code).toBe(0);
    expect(text).toContain('Which word? hello');
    expect(text).toContain('debug — it is hello ********');
    expect(text).not.toContain('opensesame');
    expect(text).toContain('Really go on? [y/N] y');
    expect(text).toContain('debug — gone on');
  });

  it('says no: refused, exit 6; presses Ctrl-C at a question: exit 130', large, async () => {
    const given = ['run', asking, '-e', 'word=a', '-e', 'code=opensesame'];
    using refusing = reeve(...given);
    await refusing.until('Really go on?');
    refusing.type('n', 'Enter');
    expect((await refusing.end()).code).toBe(6);
    using leaving = reeve(...given);
    await leaving.until('Really go on?');
    leaving.type('C-c');
    const { code, lines } = await leaving.end();
    expect(code).toBe(130);
    expect(lines.join('\n')).not.toContain('gone on');
  });

  it('Ctrl-C in the middle of a run is answered in the tree', async () => {
    const go = folder.gate('go');
    const file = folder.write('long.yaml', {
      plays: [{ hosts: 'all', tasks: [{ name: 'wait', shell: `: >begun; ${go.wait}` }] }],
    });
    using terminal = reeve('run', file);
    await terminal.until('here  wait');
    await expect.poll(() => existsSync(join(folder.dir, 'begun')), { timeout: 600_000, interval: 20 }).toBe(true);
    terminal.type('C-c');
    await terminal.until('finishing the running tasks; press Ctrl-C again to stop at once');
    go.open();
    const { code, lines } = await terminal.end();
    expect(code).toBe(130);
    expect(lines.join('\n')).toMatch(/changed {2}wait/);
  });
});

describe('connections that ask', needs(missing('tmux')), () => {
  let hosts: LabHosts;
  const file = folder.write('true.yaml', { plays: [{ hosts: 'all', tasks: [{ command: { argv: ['true'] } }] }] });
  beforeAll(async () => {
    hosts = await startHosts({ hosts: [{ name: 'one' }, { name: 'two' }] });
  });
  afterAll(() => hosts.stop());

  it('show an unknown host key one host at a time, remember the answer, and ask no more', large, async () => {
    const known = folder.write('known_hosts', '');
    folder.write('ssh.yaml', inventoryOf(hosts, { ssh_known_hosts_file: known }));
    using terminal = reeve('run', file, '-i', 'ssh.yaml');
    await terminal.until('Trust it from now on? [y/N]');
    expect(terminal.lines.join('\n')).toMatch(
      /The key of (one|two) \(127.0.0.1 port \d+\) is not known yet.\nssh-ed25519 SHA256:/,
    );
    expect(terminal.lines.filter((line) => line.includes('Trust it'))).toHaveLength(1);
    terminal.type('y', 'Enter');
    await expect.poll(() => terminal.lines.filter((line) => line.includes('Trust it')).length).toBe(2);
    terminal.type('y', 'Enter');
    expect((await terminal.end()).code).toBe(0);
    expect(readFileSync(known, 'utf8').trim().split('\n')).toHaveLength(2);
    using again = reeve('run', file, '-i', 'ssh.yaml');
    const { code, lines } = await again.end();
    expect(code).toBe(0);
    expect(lines.join('\n')).not.toContain('Trust it');
  });

  it('stop asking after Ctrl-C', async () => {
    const known = folder.write('known_never', '');
    folder.write('never.yaml', inventoryOf(hosts, { ssh_known_hosts_file: known }));
    using terminal = reeve('run', file, '-i', 'never.yaml');
    await terminal.until('Trust it from now on? [y/N]');
    terminal.type('C-c');
    const { code, lines } = await terminal.end();
    expect(code).toBe(130);
    expect(lines.filter((line) => line.includes('Trust it'))).toHaveLength(1);
    expect(readFileSync(known, 'utf8')).toBe('');
  });

  it('--ask-become-pass asks once, for sudo on every host', large, async () => {
    const lab = await startHosts({
      hosts: [
        { name: 'one', become: true },
        { name: 'two', become: true },
      ],
    });
    try {
      for (const host of lab.hosts) host.setKnob('become-password', 'opensesame');
      folder.write('become.yaml', inventoryOf(lab, { become: true }));
      using terminal = reeve('run', file, '-i', 'become.yaml', '-K');
      await terminal.until('Password for becoming another user:');
      terminal.type('opensesame', 'Enter');
      const { code, lines } = await terminal.end();
      expect(code).toBe(0);
      expect(lines.filter((line) => line.includes('Password for'))).toHaveLength(1);
      expect(lines.join('\n')).not.toContain('opensesame');
      const examined = await folder.run(['doctor', '-i', 'become.yaml']);
      expect(examined.stdout).toMatch(/error +become +cannot become root with sudo/);
      expect(examined.stdout).toContain('mend it: Give become_password');
      expect(examined.code).toBe(2);
    } finally {
      await lab.stop();
    }
  });

  it('ask for the passphrase of a key once for all hosts', needs(missing('ssh-keygen')), async () => {
    const key = join(folder.dir, 'locked');
    copyFileSync(hosts.privateKeyFile, key);
    expect(spawnSync('ssh-keygen', ['-p', '-P', '', '-N', 'opensesame', '-f', key]).status).toBe(0);
    folder.write('locked.yaml', inventoryOf(hosts, { ssh_private_key_file: key }));
    using terminal = reeve('run', file, '-i', 'locked.yaml');
    await terminal.until(`Passphrase of ${key}:`);
    terminal.type('opensesame', 'Enter');
    const { code, lines } = await terminal.end();
    expect(code).toBe(0);
    expect(lines.filter((line) => line.includes('Passphrase of'))).toHaveLength(1);
    expect(lines.join('\n')).not.toContain('opensesame');
  });
});
