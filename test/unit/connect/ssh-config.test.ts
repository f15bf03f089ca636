import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { jumpSpec, resolveEndpoint } from '../../../runner/connect/ssh/config.ts';
import type { ConnectionSpec } from '../../../runner/connect/types.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'reeve-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spec = (address: string, extra: Partial<ConnectionSpec> = {}): ConnectionSpec => ({
  host: address,
  transport: 'ssh',
  address,
  ...extra,
});

let files = 0;
function config(text: string): string {
  const file = join(folder, `config${++files}`);
  writeFileSync(file, text);
  return file;
}

function resolve(address: string, texts: string[], extra: Partial<ConnectionSpec> = {}) {
  return resolveEndpoint(spec(address, extra), { sshConfigFiles: texts.map(config), identityFiles: ['/default/key'] });
}

test('without a file: the address itself, port 22, who is logged in, default keys', () => {
  expect(resolveEndpoint(spec('h'), { sshConfigFiles: [join(folder, 'none')], identityFiles: ['/k'] })).toMatchObject({
    address: 'h',
    port: 22,
    user: userInfo().username,
    identityFiles: ['/k'],
    jumps: [],
    knownHostsFiles: undefined,
  });
});

const ALIAS = `
Host k3s-1
  HostName 10.0.0.11
  Port 2222
  User deploy
  IdentityFile ~/.ssh/one
  identityfile "/keys/%r@%h"
  ProxyJump ops@gate:2200,inner
  UserKnownHostsFile /a/known /b/known
  ConnectTimeout 7
  IdentitiesOnly yes
  HostKeyAlias k3s-one
  StrictHostKeyChecking accept-new
Host *
  User nobody
  IdentityFile /keys/all
`;

test('an alias with everything', () => {
  expect(resolve('k3s-1', [ALIAS])).toEqual({
    address: '10.0.0.11',
    port: 2222,
    user: 'deploy',
    keyName: 'k3s-one',
    identityFiles: [join(homedir(), '.ssh/one'), '/keys/deploy@10.0.0.11', '/keys/all'],
    identitiesOnly: true,
    identityAgent: undefined,
    jumps: ['ops@gate:2200', 'inner'],
    knownHostsFiles: ['/a/known', '/b/known'],
    connectTimeout: 7000,
    strict: 'accept-new',
    proxyCommand: undefined,
  });
});

test('the inventory wins over the file', () => {
  const extra = {
    port: 22,
    user: 'root',
    privateKeyFile: '~/mine',
    knownHostsFile: '/k',
    proxyJump: 'none',
    connectTimeout: 1,
  };
  expect(resolve('k3s-1', [ALIAS], extra)).toMatchObject({
    address: '10.0.0.11',
    port: 22,
    user: 'root',
    identityFiles: [join(homedir(), 'mine')],
    knownHostsFiles: ['/k'],
    jumps: [],
    connectTimeout: 1,
  });
});

test('the first value wins, the user file before the system one; negated patterns', () => {
  const first = 'Host h !other\n  Port 1\n';
  const second = 'Port 2\nUser system\n';
  expect(resolve('h', [first, second])).toMatchObject({ port: 1, user: 'system' });
  expect(resolve('other', [first, second])).toMatchObject({ port: 2 });
});

test('Include, with a pattern, relative to the file', () => {
  mkdirSync(join(folder, 'conf.d'));
  writeFileSync(join(folder, 'conf.d', 'b.conf'), 'Host h\n  Port 9\n');
  writeFileSync(join(folder, 'conf.d', 'a.conf'), 'Host h\n  Port 8\n');
  expect(resolve('h', ['Include conf.d/*.conf\nHost *\n  Port 7\n'])).toMatchObject({ port: 8 });
  const loop = join(folder, 'loop');
  writeFileSync(loop, `Include ${loop}\nPort 5\n`);
  expect(resolveEndpoint(spec('h'), { sshConfigFiles: [loop] }).port).toBe(5);
});

test('a ProxyCommand is reported, unless a jump replaces it', () => {
  expect(resolve('h', ['ProxyCommand nc %h %p\n']).proxyCommand).toContain('nc');
  expect(resolve('h', ['ProxyCommand nc %h %p\n'], { proxyJump: 'gate' }).proxyCommand).toBeUndefined();
});

/** Files by name (DIR is where they are), a host, and what follows; the same is asked of the system's ssh. */
const SECTIONS: [string, Record<string, string>, string, { address?: string; port?: number; user?: string }][] = [
  [
    'an Include ends no section around it',
    { main: 'Include DIR/a\nUser u\n', a: 'Host x\n  Port 7\n' },
    'y',
    { user: 'u' },
  ],
  [
    'an Include within a section',
    { main: 'Host x\n  Include DIR/a\n  Port 9\n', a: 'User u\nHost y\n  Port 3\n' },
    'x',
    { port: 9, user: 'u' },
  ],
  [
    'an Include within another section',
    { main: 'Host x\n  Include DIR/a\n  Port 9\n', a: 'Host y\n  Port 3\n' },
    'y',
    { port: 22 },
  ],
  [
    'several Includes',
    { main: 'Include DIR/a DIR/b\n', a: 'Port 7\n', b: 'User u\nPort 8\n' },
    'x',
    { port: 7, user: 'u' },
  ],
  [
    'Match host, by the real name',
    { main: 'Host x\n HostName 10.1.1.1\nMatch host 10.1.* originalhost x\n User u\n' },
    'x',
    { user: 'u' },
  ],
  [
    'Match exec, with tokens',
    { main: 'Match host x exec "test %h = x"\n User u\nMatch exec false\n Port 3\n' },
    'x',
    { user: 'u', port: 22 },
  ],
  [
    'Match with a negation',
    { main: 'Match !host y\n User u\nMatch host x !exec false\n Port 3\n' },
    'x',
    { user: 'u', port: 3 },
  ],
  [
    'Match with a negation that does not hold',
    { main: 'Match !host x\n Port 3\nMatch host x !exec true\n Port 4\n' },
    'x',
    { port: 22 },
  ],
  ['Match final', { main: 'Host x\n HostName x.lan\nMatch final host *.lan\n User u\n' }, 'x', { user: 'u' }],
  ['Match user, as said before', { main: 'Host x\n User u\nMatch user u\n Port 3\n' }, 'x', { port: 3 }],
  ['Host knows capitals', { main: 'Host X\n User u\nHost x\n Port 3\n' }, 'X', { user: 'u', port: 22 }],
];

describe.each(SECTIONS)('%s', (_, contents, host, expected) => {
  function file(): string {
    const dir = mkdtempSync(join(folder, 'sections-'));
    for (const [name, text] of Object.entries(contents))
      writeFileSync(join(dir, name), text.replaceAll('DIR', dir), { mode: 0o600 });
    return join(dir, 'main');
  }
  test('reeve', () => {
    expect(resolveEndpoint(spec(host), { sshConfigFiles: [file()] })).toMatchObject(expected);
  });
  test('ssh', needs(missing('ssh')), () => {
    const said = execFileSync('ssh', ['-G', '-F', file(), host], { encoding: 'utf8' });
    const get = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(said)?.[1];
    expect({ port: Number(get('port')), user: get('user') }).toMatchObject(expected);
  });
});

test('of ProxyCommand and ProxyJump the first one stands', () => {
  const texts = ['Host a\n  ProxyCommand nc %h %p\nHost *\n  ProxyJump gate\n'];
  expect(resolve('a', texts)).toMatchObject({ jumps: [], proxyCommand: 'nc %h %p' });
  expect(resolve('b', texts)).toMatchObject({ jumps: ['gate'], proxyCommand: undefined });
});

describe('jump hosts', () => {
  test.each([
    ['gate', { address: 'gate' }],
    ['ops@gate:2200', { address: 'gate', user: 'ops', port: 2200 }],
    ['ssh://ops@gate:2200', { address: 'gate', user: 'ops', port: 2200 }],
    ['[fe80::1]:22', { address: 'fe80::1', port: 22 }],
  ])('%s', (hop, expected) => {
    expect(jumpSpec(hop, spec('h'))).toMatchObject(expected);
  });
  test('nonsense is an error', () => {
    expect(() => jumpSpec('a:b:c', spec('h'))).toThrow(/no jump host/);
  });
});
