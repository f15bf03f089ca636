import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectionsOptions, createConnections } from '../../../runner/connect/connections.ts';
import type { Connections } from '../../../runner/connect/types.ts';
import { readBootId, waitForConnection } from '../../../runner/connect/wait.ts';
import { ReeveError } from '../../../runner/errors.ts';
import { Gate } from '../../support/gate.ts';
import { needs } from '../../support/needs.ts';
import { large } from '../../support/size.ts';
import { withClock } from './support/clock.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';
import { noSshd, startSshd, type TestServer } from './support/sshd.ts';

const echo = { script: 'echo well', timeout: 100_000 };

describe('real OpenSSH', needs(noSshd), () => {
  let server: TestServer;
  const open: Connections[] = [];
  beforeAll(async () => {
    server = await startSshd();
  });
  afterAll(() => server.stop());
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

  function connect(options: ConnectionsOptions = {}): Connections {
    const connections = createConnections({ sshConfigFiles: [], identityFiles: [], agent: '', ...options });
    open.push(connections);
    return connections;
  }

  /** The server's key, encrypted or not, under another name. */
  function copyKey(name: string, passphrase: string): string {
    const file = join(server.folder, name);
    copyFileSync(server.keyFile, file);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', file]);
    return file;
  }

  test('an encrypted key: passphrase given, asked for, wrong, missing', async () => {
    const file = copyKey('locked', 'open sesame');
    const spec = server.spec({ privateKeyFile: file });
    expect((await connect().run({ ...spec, passphrase: 'open sesame' }, undefined, echo)).stdout).toBe('well\n');
    const asked: string[] = [];
    const askPassphrase = async (name: string) => {
      asked.push(name);
      return 'open sesame';
    };
    expect((await connect({ askPassphrase }).run(spec, undefined, echo)).stdout).toBe('well\n');
    expect(asked).toEqual([file]);
    await expect(connect().run({ ...spec, passphrase: 'wrong' }, undefined, echo)).rejects.toMatchObject({
      code: 'login-failed',
    });
    await expect(connect().run(spec, undefined, echo)).rejects.toMatchObject({
      code: 'login-failed',
      hint: expect.stringContaining('encrypted'),
    });
  });

  test('a passphrase may take longer than connecting; who gives up at the question is told so', async () => {
    const spec = server.spec({ privateKeyFile: copyKey('slow', 'open sesame') });
    await withClock(async (pass) => {
      const askPassphrase = async () => {
        pass(2 * spec.connectTimeout!);
        return 'open sesame';
      };
      expect((await connect({ askPassphrase }).run(spec, undefined, echo)).stdout).toBe('well\n');
    });
    const interrupted = new ReeveError('interrupted', 'interrupted at a question');
    const refusing = connect({ askPassphrase: () => Promise.reject(interrupted) }).run(spec, undefined, echo);
    await expect(refusing).rejects.toBe(interrupted);
  });

  test('an agent, also for a named key that is locked; a dead agent is passed over', async () => {
    const socket = join(server.folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    await until('the agent', () => existsSync(socket));
    execFileSync('ssh-add', ['-q', server.keyFile], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: 'ignore',
    });
    const { privateKeyFile: _file, ...bare } = server.spec();
    expect((await connect({ agent: socket }).run(bare, undefined, echo)).stdout).toBe('well\n');
    const locked = server.spec({ privateKeyFile: copyKey('locked-2', 'secret') });
    expect((await connect({ agent: socket }).run(locked, undefined, echo)).stdout).toBe('well\n');
    const gone = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill('SIGKILL');
    await gone;
    expect((await connect({ agent: socket, identityFiles: [server.keyFile] }).run(bare, undefined, echo)).stdout).toBe(
      'well\n',
    );
  });

  test('the key type on record is asked for, whatever the server would rather show', async () => {
    const extra = join(server.folder, 'host_rsa');
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', extra]);
    const two = await startSshd(`HostKey ${extra}`);
    try {
      writeFileSync(two.knownHosts, `[127.0.0.1]:${two.port} ${readFileSync(`${extra}.pub`, 'utf8')}`);
      expect((await connect().run(two.spec(), undefined, echo)).stdout).toBe('well\n');
    } finally {
      await two.stop();
    }
  });

  test('known_hosts with hashed names, as ssh-keygen -H writes them', async () => {
    const file = join(server.folder, 'hashed');
    copyFileSync(server.knownHosts, file);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
    expect((await connect().run(server.spec({ knownHostsFile: file }), undefined, echo)).stdout).toBe('well\n');
  });

  test.each(['ssh', 'openssh'] as const)(
    '%s: 24 shells at once, with stock MaxSessions and MaxStartups',
    large,
    async (transport) => {
      const connections = connect();
      const spec = server.spec({ transport });
      using gate = new Gate(join(server.folder, `gate-${transport}`));
      const users = Array.from(
        { length: 6 },
        (_, i) => ['sh', 'dash', 'bash', '/bin/sh', '/bin/dash', '/bin/bash'][i]!,
      );
      const wait = { script: `: <${gate.path}; echo well`, timeout: 100_000 };
      const all = Promise.all(
        users.flatMap((shell) => Array.from({ length: 4 }, () => connections.run({ ...spec, shell }, undefined, wait))),
      );
      all.catch(() => {});
      await until('all of them are connected', () => connections.roundTrips.get('sshd') === 24);
      gate.open();
      expect((await all).map((one) => one.stdout)).toEqual(Array(24).fill('well\n'));
    },
  );

  test.each(['ssh', 'openssh'] as const)(
    '%s: a server that goes away in the middle, and comes back',
    async (transport) => {
      const connections = connect();
      const spec = server.spec({ transport });
      const nap = uniqueSleep();
      const promise = connections.run(spec, undefined, { script: `sleep ${nap}`, timeout: 100_000, isolated: true });
      promise.catch(() => {});
      await until('the script runs', () => processesWith(`sleep ${nap}`).length > 0);
      await server.halt();
      await expect(promise).rejects.toMatchObject({ code: 'unreachable', mayHaveRun: true });
      const back = waitForConnection(connections, spec, undefined, { timeout: 100_000 });
      await server.start();
      expect(await back).toBe(await readBootId(connections, spec));
      expect((await connections.run(spec, undefined, echo)).stdout).toBe('well\n');
      for (const pid of processesWith(`sleep ${nap}`)) process.kill(pid, 'SIGKILL');
    },
  );

  test('waiting for a restart that does not come ends at the deadline, and says so', async () => {
    const connections = connect();
    const bootId = await readBootId(connections, server.spec());
    const waiting = waitForConnection(connections, server.spec(), undefined, { timeout: 1_000, bootId });
    await expect(waiting).rejects.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('not been restarted'),
    });
  });

  test('openssh: refused logins and changed keys are told by ssh itself', async () => {
    const spec = server.spec({ transport: 'openssh', privateKeyFile: '/none' });
    await expect(connect().run(spec, undefined, echo)).rejects.toMatchObject({
      code: 'login-failed',
      message: expect.stringContaining('Permission denied'),
    });
    const unknown = server.spec({ transport: 'openssh', knownHostsFile: join(server.folder, 'nothing') });
    await expect(connect().run(unknown, undefined, echo)).rejects.toThrow(/verification failed/);
  });

  test('openssh: host key checking that was chosen for all hosts, and why nobody gets in', async () => {
    const { hostKeyChecking: _, ...spec } = server.spec({ transport: 'openssh' });
    const unknown = { ...spec, knownHostsFile: join(server.folder, 'none-known') };
    await expect(connect().run(unknown, undefined, echo)).rejects.toMatchObject({ code: 'host-key-unknown' });
    // A file that trusts everybody does not weaken what was asked for.
    const trusting = { ...unknown, sshOptions: { UserKnownHostsFile: unknown.knownHostsFile } };
    const strict = connect({ hostKeyChecking: 'strict' }).run(trusting, undefined, echo);
    await expect(strict).rejects.toMatchObject({ code: 'host-key-unknown' });
    const become = { method: 'sudo', user: 'root' } as const;
    await expect(connect().run(unknown, become, echo)).rejects.toMatchObject({ code: 'host-key-unknown' });
    const accepting = connect({ hostKeyChecking: 'accept-new' });
    expect((await accepting.run(unknown, undefined, echo)).stdout).toBe('well\n');
    expect(readFileSync(unknown.knownHostsFile, 'utf8')).toContain('ssh-');
    const password = { ...spec, privateKeyFile: join(server.folder, 'no-key'), password: 'secret' };
    const refused = connect({ hostKeyChecking: 'off' }).run(password, undefined, echo);
    await expect(refused).rejects.toMatchObject({
      code: 'login-failed',
      hint: expect.stringContaining('transport: ssh'),
    });
    await expect(connect().run({ ...spec, port: 1 }, undefined, echo)).rejects.toThrow(/refuses the connection/);
  });

  test('openssh: a tunnel', async () => {
    const tunnel = await connect().forward(server.spec({ transport: 'openssh' }), '127.0.0.1', server.port);
    const greeting = await new Promise<Buffer>((resolve, reject) => {
      tunnel.once('data', resolve);
      tunnel.once('error', reject);
    });
    expect(greeting.toString()).toMatch(/^SSH-2/);
    tunnel.destroy();
  });
});
