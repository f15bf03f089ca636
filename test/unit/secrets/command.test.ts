import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeMemoryFolder, memoryPlaces } from '../../../runner/secrets/memory-folder.ts';
import { newSopsText, readSopsFile } from '../../../runner/secrets/sops/file.ts';
import { encryptVault } from '../../../runner/secrets/vault/decrypt.ts';
import { CliFolder } from '../../support/cli.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { MAIN } from '../../support/program.ts';
import { sampled } from '../../support/size.ts';
import { Terminal } from '../../support/terminal.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const other = await generateX25519Identity();
const otherRecipient = await identityToRecipient(other);
const SECRET = 'correct horse battery staple';

function folder(): CliFolder {
  const cli = new CliFolder();
  onTestFinished(() => cli[Symbol.dispose]());
  return cli;
}

const keys = (key = identity) => ({ SOPS_AGE_KEY: key });

/** An editor: a shell script that gets the file as `$1`. */
function editor(cli: CliFolder, script: string): string {
  const path = cli.write('editor.sh', `#!/bin/sh\n${script}\n`);
  execFileSync('chmod', ['+x', path]);
  return path;
}

/** Writes `s.yaml` as `secret encrypt` does. */
async function encryptedFile(cli: CliFolder, text: string): Promise<void> {
  cli.write('s.yaml', await newSopsText(text, 's.yaml', [recipient], {}));
}

/** What a file of SOPS holds. */
const plainText = async (cli: CliFolder, name: string, key = identity) =>
  (await readSopsFile(join(cli.dir, name), keys(key))).text;

const files = (dir: string) => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();

describe('encrypt, decrypt and rekey', () => {
  it('go there and back, in place, keeping mode and links', async () => {
    const cli = folder();
    const text = `# for the shop\npassword: ${SECRET}\n`;
    const path = cli.write('real.yaml', text);
    execFileSync('chmod', ['640', path]);
    symlinkSync('real.yaml', join(cli.dir, 'link.yaml'));
    const done = await cli.run(['secret', 'encrypt', 'link.yaml', '--age', recipient]);
    expect(done).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8')).toMatch(/^#ENC\[.*\npassword: ENC\[/);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(files(cli.dir)).toEqual(['link.yaml', 'real.yaml']);
    expect(await cli.run(['secret', 'decrypt', 'link.yaml'], keys())).toEqual({ code: 0, stdout: text, stderr: '' });
    expect((await cli.run(['secret', 'rekey', 'real.yaml', '--age', otherRecipient], keys())).code).toBe(0);
    const refused = await cli.run(['secret', 'decrypt', 'real.yaml'], keys());
    expect(refused).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('real.yaml') });
    expect(await plainText(cli, 'real.yaml', other)).toBe(text);
  });

  it('take the recipients of .sops.yaml and of the environment', async () => {
    const cli = folder();
    cli.write('.sops.yaml', {
      creation_rules: [{ path_regex: 'rule', age: recipient, encrypted_regex: '^secret$' }, {}],
    });
    cli.write('by-rule.yaml', 'open: seen\nsecret: hidden\n');
    cli.write('other.json', '{"a": "hidden"}');
    expect((await cli.run(['secret', 'encrypt', 'by-rule.yaml'])).code).toBe(0);
    expect(readFileSync(join(cli.dir, 'by-rule.yaml'), 'utf8')).toContain('open: seen');
    const nobody = await cli.run(['secret', 'encrypt', 'other.json']);
    expect(nobody).toMatchObject({ code: 4, stderr: expect.stringContaining('--age') });
    expect((await cli.run(['secret', 'encrypt', 'other.json'], { SOPS_AGE_RECIPIENTS: recipient })).code).toBe(0);
    expect(JSON.parse(await plainText(cli, 'other.json'))).toEqual({ a: 'hidden' });
  });

  it('decrypt shows ansible-vault files too, and a wrong word has a suggestion', async () => {
    const cli = folder();
    cli.write('v.yml', encryptVault('a: b\n', 'password'));
    cli.write('pw', 'password\n');
    expect((await cli.run(['secret', 'decrypt', 'v.yml', '--vault-id', 'pw'])).stdout).toBe('a: b\n');
    const wrong = await cli.run(['secret', 'decrpyt', 'v.yml']);
    expect(wrong).toMatchObject({ code: 5, stderr: expect.stringContaining('reeve secret decrypt') });
  });
});

const noMemory = (() => {
  try {
    makeMemoryFolder(memoryPlaces({})).remove();
    return undefined;
  } catch {
    return '/dev/shm in memory is missing';
  }
})();

describe('edit', needs(noMemory), () => {
  const encrypted = (cli: CliFolder) => encryptedFile(cli, `password: ${SECRET}\n`);

  it('gives the editor the plain text in memory only, for this user only, and removes it', async () => {
    const cli = folder();
    await encrypted(cli);
    const script = editor(
      cli,
      `cat "$1" > /dev/null; stat -c '%a %n' "$1" "$(dirname "$1")" > seen; sed -i s/battery/changed/ "$1"; touch "$1.backup~"`,
    );
    const before = files(cli.dir);
    expect(await cli.run(['secret', 'edit', 's.yaml'], { ...keys(), EDITOR: script })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const [file, dir] = readFileSync(join(cli.dir, 'seen'), 'utf8').trim().split('\n');
    expect(file).toMatch(/^600 \/dev\/shm\/reeve-.*\/s\.yaml$/);
    expect(dir).toMatch(/^700 \/dev\/shm\/reeve-/);
    expect(existsSync(dir!.slice(4))).toBe(false);
    expect(files(cli.dir)).toEqual([...before, 'seen'].sort());
    expect(await plainText(cli, 's.yaml')).toContain('horse changed staple');
  });

  it.each([
    ['an editor that fails', 'echo broken > "$1"; exit 3', 6],
    ['an editor that is not there', undefined, 6],
    ['a text that is no YAML', 'echo "a: [" > "$1"', 4],
    ['a text that is gone', 'rm "$1"', 6],
    ['a text that was not changed', 'true', 0],
  ])('%s changes nothing and leaves nothing', async (_what, script, code) => {
    const cli = folder();
    await encrypted(cli);
    const before = readFileSync(join(cli.dir, 's.yaml'), 'utf8');
    const EDITOR = script === undefined ? '/nonexistent/editor' : editor(cli, `echo "$1" > seen; ${script}`);
    const done = await cli.run(['secret', 'edit', 's.yaml'], { ...keys(), EDITOR });
    expect(done.code).toBe(code);
    expect(done.stdout + done.stderr).not.toContain(SECRET);
    expect(done.stderr).not.toMatch(/This is a bug|ENC\[/);
    expect(readFileSync(join(cli.dir, 's.yaml'), 'utf8')).toBe(before);
    if (script !== undefined)
      expect(existsSync(join(readFileSync(join(cli.dir, 'seen'), 'utf8').trim(), '..'))).toBe(false);
  });

  it.each(sampled(['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const, 1))(
    '%s while the editor is open removes the plain text and ends both',
    async (signal) => {
      const cli = folder();
      await encrypted(cli);
      mkdirSync(join(cli.dir, 'there'));
      // The editor waits for ever; it says where the text is by making a file with that name.
      const script = editor(cli, 'echo "$1" > there/part; mv there/part there/path; exec tail -f /dev/null');
      const started = cli.start(['secret', 'edit', 's.yaml'], { ...keys(), EDITOR: script });
      const path = await appeared(join(cli.dir, 'there'), 'path');
      const plain = readFileSync(path, 'utf8').trim();
      expect(readFileSync(plain, 'utf8')).toContain(SECRET);
      started.child.kill(signal);
      const ended = await started.ended;
      expect(ended.code).toBe(null);
      expect(started.child.signalCode).toBe(signal);
      expect(existsSync(plain)).toBe(false);
      expect(existsSync(join(plain, '..'))).toBe(false);
    },
  );

  it('does not overwrite what somebody else wrote meanwhile', async () => {
    const cli = folder();
    await encrypted(cli);
    const EDITOR = editor(cli, 'echo "password: mine" > "$1"; echo theirs > s.yaml');
    const done = await cli.run(['secret', 'edit', 's.yaml'], { ...keys(), EDITOR });
    expect(done).toMatchObject({ code: 6, stderr: expect.stringContaining('changed by somebody else') });
    expect(readFileSync(join(cli.dir, 's.yaml'), 'utf8')).toBe('theirs\n');
  });

  it('begins a new file', async () => {
    const cli = folder();
    const EDITOR = editor(cli, 'echo "token: fresh" > "$1"');
    expect((await cli.run(['secret', 'edit', 'new.yaml', '--age', recipient], { ...keys(), EDITOR })).code).toBe(0);
    expect(await plainText(cli, 'new.yaml')).toBe('token: fresh\n');
  });
});

describe('at a terminal', needs(missing('tmux')), () => {
  const reeve = (cli: CliFolder, args: string[], env: Record<string, string> = {}) =>
    new Terminal([process.execPath, MAIN, ...args], { cwd: cli.dir, env: { HOME: cli.dir, ...env } });

  it('the vault password is asked for and not shown', async () => {
    const cli = folder();
    cli.write('inventory.yaml', `reeve: 1\nall: { hosts: { a: { transport: local } } }\n`);
    cli.write('group_vars/all.yaml', encryptVault('word: opened by typing\n', 'typed-password'));
    cli.write('p.yaml', {
      plays: [{ hosts: 'a', tasks: [{ debug: '{{ word }}' }, { debug: 'length {{ length word }}' }] }],
    });
    using terminal = reeve(cli, ['run', 'p.yaml', '-i', 'inventory.yaml', '--ask-vault-pass', '--output', 'plain']);
    await terminal.until('Vault password (default):');
    terminal.type('typed-password', 'Enter');
    const { code, lines } = await terminal.end();
    expect(lines.join('\n')).not.toMatch(/typed-password|opened by typing/);
    expect(lines.join('\n')).toContain('length 16');
    expect(code).toBe(0);
  });

  it('what was edited wrongly can be mended', needs(noMemory), async () => {
    const cli = folder();
    await encryptedFile(cli, 'a: before\n');
    const EDITOR = editor(cli, 'if [ -e once ]; then echo "a: mended" > "$1"; else echo "a: [" > "$1"; touch once; fi');
    using terminal = reeve(cli, ['secret', 'edit', 's.yaml'], { EDITOR, ...keys() });
    await terminal.until('Edit it again?');
    terminal.type('y', 'Enter');
    expect((await terminal.end()).code).toBe(0);
    expect(await plainText(cli, 's.yaml')).toBe('a: mended\n');
  });
});

/** `vi` is a vim in many places, which remembers what was deleted in the home folder. */
const isVim = spawnSync('vi', ['--version'], { encoding: 'utf8' }).stdout?.includes('Vi IMproved');
const noVim = isVim ? missing('vim') : 'vim is missing';

describe('vim', needs(missing('tmux') ?? noVim ?? noMemory), () => {
  it.each(sampled(['', 'vi', 'vim -f'], 1))('as "%s" leaves nothing of the text in the home folder', async (editor) => {
    const cli = folder();
    await encryptedFile(cli, 'a: first\nb: second\n');
    const before = files(cli.dir);
    const env = { HOME: cli.dir, ...keys(), EDITOR: editor, VISUAL: '' };
    using terminal = new Terminal([process.execPath, MAIN, 'secret', 'edit', 's.yaml'], { cwd: cli.dir, env });
    await terminal.until('b: second');
    terminal.type('dd:wq', 'Enter');
    expect((await terminal.end()).code).toBe(0);
    expect(await plainText(cli, 's.yaml')).toBe('b: second\n');
    expect(files(cli.dir)).toEqual(before);
  });
});

describe('a folder in memory', () => {
  it('is refused where there is none', () => {
    expect(() => makeMemoryFolder(['/nonexistent', '/proc'])).toThrowError(
      expect.objectContaining({ code: 'no-memory-folder', exitCode: 4 }),
    );
  });

  it('is never taken from the folder for temporary files on the disk', () => {
    expect(memoryPlaces({ TMPDIR: tmpdir() }).map((place) => basename(place))).toEqual(['shm']);
  });
});

/** Waits until a file is in a folder; gives its path. */
function appeared(dir: string, name: string): Promise<string> {
  const path = join(dir, name);
  return new Promise((found) => {
    const watcher = watch(dir, check);
    check();
    function check(): void {
      if (!existsSync(path)) return;
      watcher.close();
      found(path);
    }
  });
}
