import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  addKnownHost,
  findKnownHosts,
  fingerprint,
  judge,
  keyType,
  knownName,
  matchesHosts,
} from '../../../runner/connect/ssh/known-hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'reeve-known-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A blob that looks like a public key of the type. */
function blob(type: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), randomBytes(32)]);
}

function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

let files = 0;
async function look(text: string, host: string, port = 22, warn: (message: string) => void = () => {}) {
  const file = join(folder, `known${++files}`);
  writeFileSync(file, text);
  return { file, found: await findKnownHosts([join(folder, 'none'), file], host, port, warn) };
}

test.each([
  ['a.example', 'a.example', true],
  ['other,a.example', 'a.example', true],
  ['*.example', 'a.example', true],
  ['?.example', 'a.example', true],
  ['?.example', 'ab.example', false],
  ['*.example,!a.example', 'a.example', false],
  ['!a.example,*.example', 'b.example', true],
  ['A.Example', 'a.example', true],
  ['a.example', 'b.example', false],
  ['a.example', 'aXexample', false],
  ['a*example', 'a.b.example', true],
  ['[a.example]:2222', '[a.example]:2222', true],
  ['a.example', '[a.example]:2222', false],
  ['[*]:2222', '[a.example]:2222', true],
])('pattern %s against %s: %s', (hosts, name, expected) => {
  expect(matchesHosts(hosts, name)).toBe(expected);
});

test('hashed names', () => {
  expect(matchesHosts(hashed('[10.0.0.1]:2222'), '[10.0.0.1]:2222')).toBe(true);
  expect(matchesHosts(hashed('10.0.0.1'), '10.0.0.2')).toBe(false);
});

test('the port is part of the name unless it is 22', () => {
  expect(knownName('Host', 22)).toBe('host');
  expect(knownName('::1', 2222)).toBe('[::1]:2222');
});

test('comments, blank lines, key comments and broken lines are passed over', async () => {
  const key = blob('ssh-ed25519');
  const text = `# h ssh-ed25519 AAAA\n\nh\nh ssh-ed25519\n  h ssh-ed25519 ${key.toString('base64')} a comment\n`;
  const { found, file } = await look(text, 'h');
  expect(found).toMatchObject([{ file, line: 5, type: 'ssh-ed25519', revoked: false }]);
  expect(found[0]!.key.equals(key)).toBe(true);
});

describe('judgement', () => {
  const right = blob('ssh-ed25519');
  const wrong = blob('ssh-ed25519');
  const other = blob('ssh-rsa');
  const line = (key: Buffer, marker = '') => `${marker}h ${keyType(key)} ${key.toString('base64')}\n`;

  test('known, also beside another key of the same host', async () => {
    expect(judge((await look(line(wrong) + line(right), 'h')).found, right)).toEqual({ kind: 'known' });
  });
  test('unknown', async () => {
    expect(judge((await look(line(right), 'elsewhere')).found, right)).toEqual({ kind: 'unknown' });
  });
  test('changed: names the line of the same type', async () => {
    const verdict = judge((await look(line(other) + line(wrong), 'h')).found, right);
    expect(verdict).toMatchObject({ kind: 'changed', sameType: true, known: { line: 2 } });
  });
  test('a key of a new type beside known ones is no known key', async () => {
    const verdict = judge((await look(line(other), 'h')).found, right);
    expect(verdict).toMatchObject({ kind: 'changed', sameType: false });
  });
  test('revoked wins over known', async () => {
    const verdict = judge((await look(line(right) + line(right, '@revoked '), 'h')).found, right);
    expect(verdict).toMatchObject({ kind: 'revoked', known: { line: 2 } });
  });
  test('a revoked key says nothing about others', async () => {
    expect(judge((await look(line(wrong, '@revoked '), 'h')).found, right)).toEqual({ kind: 'unknown' });
  });
  test('a certificate authority is not used, with a warning', async () => {
    const warnings: string[] = [];
    const { found, file } = await look(line(right, '@cert-authority '), 'h', 22, (message) => warnings.push(message));
    expect(found).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(`${file}:1`)]);
  });
});

test('an added key is found again, after a file without a last newline too', async () => {
  const file = join(folder, 'deep', 'known');
  const [one, two] = [blob('ssh-ed25519'), blob('ssh-rsa')];
  await addKnownHost(file, 'a', 22, one);
  writeFileSync(file, readFileSync(file, 'utf8').trimEnd());
  await addKnownHost(file, 'b', 2222, two);
  expect(judge(await findKnownHosts([file], 'a', 22, () => {}), one).kind).toBe('known');
  expect(judge(await findKnownHosts([file], 'b', 2222, () => {}), two).kind).toBe('known');
  expect(readFileSync(file, 'utf8')).toContain('[b]:2222 ssh-rsa ');
});

test('a key that was added by others while the run goes on is found', async () => {
  const file = join(folder, 'changing');
  const [one, two] = [blob('ssh-ed25519'), blob('ssh-ed25519')];
  const line = (key: Buffer) => `h ${keyType(key)} ${key.toString('base64')}\n`;
  writeFileSync(file, line(one));
  expect(judge(await findKnownHosts([file], 'h', 22, () => {}), two).kind).toBe('changed');
  writeFileSync(file, line(one) + line(two));
  expect(judge(await findKnownHosts([file], 'h', 22, () => {}), two).kind).toBe('known');
  rmSync(file);
  expect(judge(await findKnownHosts([file], 'h', 22, () => {}), two).kind).toBe('unknown');
});

test('lines with plain names, patterns and hashes come in the order of the file', async () => {
  const keys = Array.from({ length: 4 }, () => blob('ssh-ed25519'));
  const names = ['h.example', '*.example', hashed('h.example'), 'other,H.Example'];
  const text = keys.map((key, n) => `${names[n]} ${keyType(key)} ${key.toString('base64')}\n`).join('');
  expect((await look(text, 'h.example')).found.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
});

test('the fingerprint is the one that OpenSSH prints', () => {
  const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'base64');
  expect(fingerprint(key)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});
