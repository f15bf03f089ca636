import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type ConnectionsOptions, createConnections } from '../../../runner/connect/connections.ts';
import type { HostKeyQuestion } from '../../../runner/connect/options.ts';
import type { ConnectionSpec, Connections } from '../../../runner/connect/types.ts';
import { Gate } from '../../support/gate.ts';
import { freePort } from '../../support/sshd.ts';
import { withClock } from './support/clock.ts';
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './support/embedded.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';
import { standIns } from './support/stand-ins.ts';

const folder = mkdtempSync(join(tmpdir(), 'reeve-ssh-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one();
});

async function embedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const server = await startEmbedded({ password: 'pw', ...options });
  cleanUps.push(() => server.stop());
  return server;
}

function connect(options: ConnectionsOptions = {}): Connections {
  const connections = createConnections({ sshConfigFiles: [], identityFiles: [], agent: '', ...options });
  cleanUps.push(() => connections.close());
  return connections;
}

function specOf(server: EmbeddedServer, extra: Partial<ConnectionSpec> = {}): ConnectionSpec {
  const spec: ConnectionSpec = { host: 'lab', transport: 'ssh', address: '127.0.0.1', port: server.port, user: 'me' };
  return { ...spec, password: 'pw', hostKeyChecking: 'off', connectTimeout: 100_000, ...extra };
}

const echo = { script: 'echo well', timeout: 100_000 };

describe('logging in', () => {
  test('by password', async () => {
    const server = await embedded();
    expect((await connect().run(specOf(server), undefined, echo)).stdout).toBe('well\n');
    expect(server.methods).toEqual(['password']);
  });

  test('by keyboard-interactive', async () => {
    const server = await embedded({ keyboard: true });
    expect((await connect().run(specOf(server), undefined, echo)).stdout).toBe('well\n');
  });

  test.each([{ keyboard: false }, { keyboard: true }])(
    'a wrong password (keyboard: $keyboard) is an error that says what was tried',
    async ({ keyboard }) => {
      const server = await embedded({ keyboard });
      const attempt = connect().run(specOf(server, { password: 'wrong' }), undefined, echo);
      await expect(attempt).rejects.toMatchObject({
        code: 'login-failed',
        exitCode: 3,
        hint: expect.stringContaining('the password'),
      });
      expect(server.logins).toBe(0);
    },
  );

  test('with nothing to log in with, and with a key that is not there', async () => {
    const server = await embedded();
    const { password: _password, ...bare } = specOf(server);
    await expect(connect().run(bare, undefined, echo)).rejects.toMatchObject({
      code: 'login-failed',
      hint: expect.stringContaining('nothing to log in with'),
    });
    const missing = specOf(server, { privateKeyFile: join(folder, 'none') });
    await expect(connect().run(missing, undefined, echo)).rejects.toMatchObject({ code: 'key-unreadable' });
  });
});

describe('host keys', () => {
  const known = (server: EmbeddedServer, key = server.hostKey) => {
    const file = join(folder, `known-${server.port}-${Math.random()}`);
    writeFileSync(file, `# comment\n[127.0.0.1]:${server.port} ${key}\n`);
    return file;
  };

  test('strict: a known key passes, an unknown one does not', async () => {
    const server = await embedded();
    const good = specOf(server, { hostKeyChecking: 'strict', knownHostsFile: known(server) });
    expect((await connect().run(good, undefined, echo)).stdout).toBe('well\n');
    const empty = join(folder, 'empty');
    const unknown = specOf(server, { hostKeyChecking: 'strict', knownHostsFile: empty });
    await expect(connect().run(unknown, undefined, echo)).rejects.toMatchObject({
      code: 'host-key-unknown',
      message: expect.stringMatching(/ssh-rsa SHA256:/),
    });
    expect(existsSync(empty)).toBe(false);
  });

  test('accept-new writes an unknown key down, once for many connections, and refuses a changed one', async () => {
    const server = await embedded();
    const file = join(folder, `new-${server.port}`);
    const spec = specOf(server, { hostKeyChecking: 'accept-new', knownHostsFile: file });
    const connections = connect();
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => connections.run({ ...spec, host: `h${i}` }, undefined, echo)),
    );
    expect(readFileSync(file, 'utf8')).toBe(`[127.0.0.1]:${server.port} ${server.hostKey}\n`);
    const stranger = await embedded();
    const changed = { ...spec, port: server.port, knownHostsFile: known(server, stranger.hostKey) };
    await expect(connect().run(changed, undefined, echo)).rejects.toMatchObject({
      code: 'host-key-changed',
      exitCode: 3,
      message: expect.stringMatching(new RegExp(`SHA256:.*SHA256:.*${changed.knownHostsFile}:2`)),
      place: { file: changed.knownHostsFile, line: 2 },
    });
    expect(server.logins).toBeGreaterThan(0);
  });

  test('ask: a person decides, once, and may take longer than the deadline', async () => {
    const server = await embedded();
    const questions: HostKeyQuestion[] = [];
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<boolean>();
    const options: ConnectionsOptions = {
      askHostKey: (question) => {
        questions.push(question);
        asked.resolve();
        return answer.promise;
      },
    };
    const file = join(folder, `ask-${server.port}`);
    const spec = specOf(server, { hostKeyChecking: 'ask', knownHostsFile: file });
    const connections = connect(options);
    await withClock(async (pass) => {
      const both = Promise.all([
        connections.run(spec, undefined, echo),
        connections.run({ ...spec, host: 'b' }, undefined, echo),
      ]);
      both.catch(() => {});
      await asked.promise;
      pass(2 * spec.connectTimeout!);
      answer.resolve(true);
      await both;
    });
    // Either of them may be the first to hear from its server.
    expect(questions).toMatchObject([
      { host: expect.stringMatching(/^(lab|b)$/), port: server.port, keyType: 'ssh-rsa' },
    ]);
    const refusing = connect({ askHostKey: async () => false });
    const elsewhere = { ...spec, knownHostsFile: join(folder, 'refused') };
    await expect(refusing.run(elsewhere, undefined, echo)).rejects.toMatchObject({ code: 'host-key-unknown' });
  });

  test('revoked keys are refused in every mode but off', async () => {
    const server = await embedded();
    const file = known(server);
    writeFileSync(file, `@revoked * ${server.hostKey}\n[127.0.0.1]:${server.port} ${server.hostKey}\n`);
    const spec = specOf(server, { hostKeyChecking: 'accept-new', knownHostsFile: file });
    await expect(connect().run(spec, undefined, echo)).rejects.toMatchObject({ code: 'host-key-revoked' });
  });
});

describe('connections', () => {
  test('22 containers behind one server with ten sessions a connection', async () => {
    const programs = standIns({ pct: 'shift; id=$1; shift 4; exec env CONTAINER=$id "$@"' });
    cleanUps.push(async () => programs.remove());
    const server = await embedded({ maxSessions: 10 });
    const connections = connect();
    // Different keys of the pool, as containers behind a node are, but one way there.
    const specs = Array.from({ length: 22 }, (_, i) => ({
      ...specOf(server),
      host: `ct-${i}`,
      transport: 'pct' as const,
      vmid: i,
      node: specOf(server),
    }));
    const results = await Promise.all(
      specs.map((spec) => connections.run(spec, undefined, { ...echo, script: 'echo $CONTAINER' })),
    );
    expect(results.map((one) => one.stdout)).toEqual(specs.map((spec) => `${spec.vmid}\n`));
    expect(server.logins).toBe(3);
  });

  test('a server that allows fewer sessions gets more connections', async () => {
    const server = await embedded({ maxSessions: 2 });
    const connections = connect();
    const spec = specOf(server);
    using gate = new Gate(join(folder, `gate-${server.port}`));
    const wait = { script: `: <${gate.path}; echo well`, timeout: 100_000 };
    const four = Promise.all(Array.from({ length: 4 }, () => connections.run(spec, undefined, wait)));
    await until('two connections', () => server.logins === 2);
    gate.open();
    expect((await four).map((one) => one.stdout)).toEqual(Array(4).fill('well\n'));
  });

  test('a handshake that is dropped is tried again until the deadline', async () => {
    const server = await embedded({ dropFirst: 3 });
    expect((await connect().run(specOf(server), undefined, echo)).stdout).toBe('well\n');
    const never = await embedded({ dropFirst: 10_000 });
    await expect(connect().run(specOf(never, { connectTimeout: 700 }), undefined, echo)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  test('nothing listens, nobody answers, no such name', async () => {
    const base: ConnectionSpec = {
      host: 'x',
      transport: 'ssh',
      address: '127.0.0.1',
      user: 'me',
      hostKeyChecking: 'off',
    };
    const closed = { ...base, port: await freePort() };
    await expect(connect().run(closed, undefined, echo)).rejects.toThrow(/refuses the connection/);
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = (silent.address() as { port: number }).port;
    await expect(connect().run({ ...base, port, connectTimeout: 300 }, undefined, echo)).rejects.toThrow(
      /does not answer in time/,
    );
    silent.close();
    await expect(connect().run({ ...base, address: 'no-such-name.invalid' }, undefined, echo)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  test('banners and motd do not reach any output', async () => {
    const server = await embedded({ noise: 'Welcome!\n* * *\nreeve\0\xff no newline at the end' });
    const result = await connect().run(specOf(server), undefined, { ...echo, script: 'echo out; echo err >&2' });
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('no such shell on the target', async () => {
    const server = await embedded();
    const attempt = connect().run(specOf(server, { shell: '/no/such/sh' }), undefined, echo);
    await expect(attempt).rejects.toMatchObject({ code: 'unreachable', hint: expect.stringContaining('shell') });
  });

  test.each([{ isolated: false }, { isolated: true }])(
    'a connection cut in the middle (isolated: $isolated) says that the script may have run',
    async ({ isolated }) => {
      const server = await embedded();
      const connections = connect();
      const nap = uniqueSleep();
      const promise = connections.run(specOf(server), undefined, {
        script: `sleep ${nap}`,
        timeout: 100_000,
        isolated,
      });
      promise.catch(() => {});
      await until('the script runs', () => processesWith(`sleep ${nap}`).length > 0);
      server.cut();
      await expect(promise).rejects.toMatchObject({
        code: 'unreachable',
        mayHaveRun: true,
        message: expect.stringContaining('may have done'),
      });
      expect((await connections.run(specOf(server), undefined, echo)).stdout).toBe('well\n');
      expect(server.logins).toBe(2);
      for (const pid of processesWith(`sleep ${nap}`)) process.kill(pid, 'SIGKILL');
    },
  );

  test('a tunnel, and an address behind it where nothing listens', async () => {
    const server = await embedded();
    const connections = connect();
    const listener = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as { port: number };
    const tunnel = await connections.forward(specOf(server), '127.0.0.1', port);
    let text = '';
    for await (const chunk of tunnel) text += chunk;
    expect(text).toBe('hello');
    listener.close();
    await expect(connections.forward(specOf(server), '127.0.0.1', await freePort())).rejects.toThrow(/no tunnel to/);
  });

  test('through two jump hosts, as the configuration says', async () => {
    const [outer, inner, target] = [
      await embedded({ anyKey: true }),
      await embedded({ anyKey: true }),
      await embedded(),
    ];
    const file = join(folder, `jumps-${target.port}`);
    writeFileSync(
      file,
      `Host target\n HostName 127.0.0.1\n Port ${target.port}\n User me\n ProxyJump inner\n` +
        `Host inner\n HostName 127.0.0.1\n Port ${inner.port}\n User me\n ProxyJump me@127.0.0.1:${outer.port}\n`,
    );
    const keyFile = join(folder, 'jump-key');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const connections = connect({ sshConfigFiles: [file], hostKeyChecking: 'off', identityFiles: [keyFile] });
    const spec: ConnectionSpec = { host: 'target', transport: 'ssh', address: 'target', password: 'pw' };
    expect((await connections.run(spec, undefined, echo)).stdout).toBe('well\n');
    expect([outer, inner, target].map((server) => server.logins)).toEqual([1, 1, 1]);
  });
});
