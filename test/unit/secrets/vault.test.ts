import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadInventory } from '../../../runner/inventory/load.ts';
import { hostVariables } from '../../../runner/inventory/show.ts';
import { toPlain } from '../../../runner/language/access.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { loadDocument } from '../../../runner/load/parse.ts';
import type { SecretSources } from '../../../runner/secrets/session.ts';
import { encryptVault } from '../../../runner/secrets/vault/decrypt.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { folder, problemsOf, session, vector, vectorText } from './support.ts';

const PASSWORD = 'vectors password';
/** The bytes 00 ff 01, as ansible-vault encrypts them with `pw`. */
const BYTES = [
  '$ANSIBLE_VAULT;1.1;AES256',
  '37316338626533633333393532326233623631663337666535636438373836313331356638623963',
  '6138613938653134393137383665616135666335336334650a306466373133343539323332363433',
  '36663932633031386261623563636535316163333965346334653537326434623332663339643036',
  '3264313437356139650a386238653561663263333861646166363734376237653765353335653536',
  '3038',
].join('\n');
const PLAIN = { db_password: 's3cret-ümlaut "quoted"', port: 5432, list: ['one-of-these', 'two-of-these'] };

/** A file with text in a folder of its own. */
function file(text: string, name = 'f.yml', mode = 0o600): string {
  const path = join(folder(), name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function open(path: string, sources: Partial<SecretSources>) {
  const { secrets, known } = session(sources);
  const document = await secrets.load(() => loadDocument(path, { opener: secrets }));
  await secrets.check();
  return { value: toPlain(document.value), document, known };
}

/** `name: !vault |` with the text indented below it. */
const inline = (name: string, text: string) => `${name}: !vault |\n${text.replace(/^/gm, '  ').trimEnd()}\n`;

describe('files that ansible-vault wrote', () => {
  it.each(['vault-1.1.yml', 'vault-1.2.yml'])('%s', async (name) => {
    const { value, known } = await open(vector(name), { vaultIds: [file(`${PASSWORD}\n`)] });
    expect(value).toEqual(PLAIN);
    expect(known.flat(9)).toEqual(expect.arrayContaining([PASSWORD, PLAIN.db_password, 'two-of-these']));
  });

  it('opens values one by one, text as data even where it looks like a template', async () => {
    const text = `${inline('a', encryptVault('one {{ two }}', PASSWORD))}${inline('b', encryptVault('three', PASSWORD, 'x'))}c: plain\n`;
    const { value, document, known } = await open(file(text), { vaultIds: [`x@${file(PASSWORD)}`] });
    expect(value).toEqual({ a: 'one {{ two }}', b: 'three', c: 'plain' });
    expect(known).toContain('one {{ two }}');
    expect(JSON.stringify(document.value)).not.toContain('three');
    expect(JSON.stringify(document.value)).toContain('__ansible_vault');
  });
});

describe('inventories that are encrypted as a whole', () => {
  it.each([
    ['hosts', '[g]\nh a="one secret"\n[g:vars]\nb=correct horse battery\nport=5432\nansible_group_priority=7\n'],
    ['hosts.yml', 'g:\n  hosts: { h: { a: one secret } }\n  vars: { b: correct horse battery, port: 5432 }\n'],
    [
      'hosts.yml',
      'reeve: 1\ng:\n  hosts: { h: { a: one secret } }\n  vars: { b: correct horse battery, port: 5432 }\n',
    ],
  ])('%s: every value is secret as a whole', async (name, text) => {
    const path = file(encryptVault(text, PASSWORD), name);
    const { secrets, known } = session({ vaultIds: [file(PASSWORD)] });
    const inventory = await secrets.load(() => loadInventory([path], { opener: secrets }));
    expect(known.flat(9)).toEqual(expect.arrayContaining(['one secret', 'correct horse battery', 5432]));
    const [group, host] = inventory.layersOf('h').map(({ definitions }) => definitions);
    const opened = [host!.a, group!.b, group!.port].map((one) => one!.compiled.render(layeredScope([])));
    expect(opened).toEqual(['one secret', 'correct horse battery', 5432]);
    secrets.keepClosed();
    expect(hostVariables(inventory, 'h')).toEqual({ a: '********', b: '********', port: '********' });
  });
});

it('a plugin that is encrypted as a whole is an error, not an inventory without hosts', async () => {
  const path = file(encryptVault('plugin: constructed\n', PASSWORD));
  const { secrets } = session({ vaultIds: [file(PASSWORD)] });
  const problems = await problemsOf(() => secrets.load(() => loadInventory([path], { opener: secrets })));
  expect(problems).toMatchObject([{ code: 'plugin-encrypted', place: { line: 1, column: 1 } }]);
});

describe('passwords', () => {
  const vault = (id?: string, password = PASSWORD) => file(encryptVault('a: opened text', password, id));

  it('are chosen by id, and the others are tried after it', async () => {
    const ids = [`dev@${file('dev password')}`, `prod@${file('prod password')}`];
    expect((await open(vault('prod', 'prod password'), { vaultIds: ids })).value).toEqual({ a: 'opened text' });
    expect((await open(vault('elsewhere', 'dev password'), { vaultIds: ids })).value).toEqual({ a: 'opened text' });
    expect((await open(vault(undefined, 'prod password'), { vaultIds: ids })).value).toEqual({ a: 'opened text' });
  });

  it('come from a script, which is told the id when it is a client', async () => {
    const script = file('#!/bin/sh\nprintf "%s\\r\\n\\n" "vectors password"\n', 'pass.sh', 0o700);
    expect((await open(vault(), { vaultIds: [script] })).value).toEqual({ a: 'opened text' });
    const blank = file('#!/bin/sh\nprintf " %s \\n" "vectors password"\n', 'pass.sh', 0o700);
    expect((await open(vault(undefined, ' vectors password '), { vaultIds: [blank] })).value).toEqual({
      a: 'opened text',
    });
    const client = file('#!/bin/sh\n[ "$1" = --vault-id ] && echo "password of $2"\n', 'keyring-client.sh', 0o700);
    const path = vault('prod', 'password of prod');
    expect((await open(path, { vaultIds: [`prod@${client}`] })).value).toEqual({ a: 'opened text' });
  });

  it('are asked for, once, before anything is opened', async () => {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return PASSWORD;
    };
    const { value } = await open(vector('vault-1.2.yml'), { vaultIds: ['prod@prompt'], ask });
    expect(value).toEqual(PLAIN);
    expect(asked).toEqual(['Vault password (prod):']);
    await expect(open(vault(), { vaultIds: ['prompt'] })).rejects.toMatchObject({
      code: 'vault-password-missing',
      exitCode: 4,
    });
  });

  it('come from the environment as Ansible has them', async () => {
    const path = file(PASSWORD);
    const one = await open(vault(), { environment: { ANSIBLE_VAULT_PASSWORD_FILE: path } });
    const list = await open(vault(), { environment: { ANSIBLE_VAULT_IDENTITY_LIST: `a@${file('other')}, b@${path}` } });
    expect([one.value, list.value]).toEqual([{ a: 'opened text' }, { a: 'opened text' }]);
  });

  it.each<[string, () => { path: string; vaultIds: string[] }, string]>([
    ['a wrong one', () => ({ path: vault('prod'), vaultIds: [file('wrong')] }), 'vault-password-wrong'],
    ['none', () => ({ path: vault('prod'), vaultIds: [] }), 'vault-password-missing'],
    ['a file that is not there', () => ({ path: vault(), vaultIds: ['/nonexistent'] }), 'vault-password-missing'],
    ['an empty file', () => ({ path: vault(), vaultIds: [file(' \n')] }), 'vault-password-empty'],
    [
      'a script that fails',
      () => ({ path: vault(), vaultIds: [file('#!/bin/sh\necho hunter2; exit 3\n', 's', 0o700)] }),
      'vault-password-script',
    ],
    [
      'a damaged text',
      () => ({ path: file(vectorText('vault-1.1.yml').slice(0, -9)), vaultIds: [file(PASSWORD)] }),
      'vault-damaged',
    ],
    [
      'a changed text',
      () => ({ path: file(swapDigit(vectorText('vault-1.1.yml'))), vaultIds: [file(PASSWORD)] }),
      'vault-password-wrong',
    ],
    ['bytes that are no text', () => ({ path: file(BYTES), vaultIds: [file('pw')] }), 'vault-not-text'],
    [
      'format 1.0',
      () => ({ path: file('$ANSIBLE_VAULT;1.0;AES\n3132\n'), vaultIds: [file(PASSWORD)] }),
      'vault-damaged',
    ],
    [
      'plain text that is no YAML',
      () => ({ path: file(encryptVault('secret: [hunter2', PASSWORD)), vaultIds: [file(PASSWORD)] }),
      'decrypted-invalid',
    ],
  ])('%s: one error with the name of a file and no secret', async (_what, make, code) => {
    const { path, vaultIds } = make();
    const problems = await problemsOf(() => open(path, { vaultIds }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, place: { file: expect.stringMatching(/^\//) } });
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|vectors password|opened text/);
  });

  it('all wrong inline values are told at once, each at its place', async () => {
    const path = file(`a: 1\n${inline('b', encryptVault('x', 'other'))}${inline('c', encryptVault('y', 'other'))}`);
    const problems = await problemsOf(() => open(path, { vaultIds: [file(PASSWORD)] }));
    expect(problems.map(({ place }) => place!.line)).toEqual([2, expect.any(Number)]);
  });
});

/** The last digit of the data in hex of hex. */
function swapDigit(text: string): string {
  const trimmed = text.trimEnd();
  return `${trimmed.slice(0, -1)}${trimmed.endsWith('1') ? '2' : '1'}\n`;
}

describe('ansible-vault itself', needs(missing('ansible-vault')), () => {
  const vault = (args: string[]) => execFileSync('ansible-vault', args, { encoding: 'utf8', stdio: 'pipe' });

  // Python takes longer to start than to do all of it.
  it('reads what reeve encrypts', () => {
    const texts = ['', 'short', 'x'.repeat(16), 'ünïcode\nlines\n', 'y'.repeat(5000)];
    const paths = texts.map((text) => file(encryptVault(text, PASSWORD, text.length % 2 ? 'some-id' : undefined)));
    vault(['decrypt', '--vault-password-file', file(PASSWORD), ...paths]);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(texts);
  });

  it.each([
    ['with an id', (password: string) => ['--vault-id', `my-id@${password}`, '--encrypt-vault-id', 'my-id']],
    ['without an id', (password: string) => ['--vault-password-file', password]],
  ])('writes what reeve reads, %s', async (_what, id) => {
    const password = file(PASSWORD);
    const texts = fc.sample(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), 5);
    const paths = texts.map((text) => file(JSON.stringify({ text })));
    vault(['encrypt', ...id(password), ...paths]);
    for (const [index, path] of paths.entries()) {
      expect(readFileSync(path, 'utf8')).toMatch(/^\$ANSIBLE_VAULT;/);
      expect((await open(path, { vaultIds: [password] })).value).toEqual({ text: texts[index] });
    }
    const names = texts.flatMap((_, index) => ['--name', `text${index}`]);
    const strings = vault(['encrypt_string', ...id(password), ...names, '--', ...texts]);
    const { value } = await open(file(strings), { vaultIds: [password] });
    expect(value).toEqual(Object.fromEntries(texts.map((text, index) => [`text${index}`, text])));
  });
});
