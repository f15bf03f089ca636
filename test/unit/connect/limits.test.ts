import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import { openShell } from '../../../runner/connect/open-shell.ts';
import { localTransport } from '../../../runner/connect/transports/local.ts';
import type { ByteStream, ConnectionSpec, ShellRequest } from '../../../runner/connect/types.ts';
import type { RunResult } from '../../../runner/module.ts';
import { Gate } from '../../support/gate.ts';
import { needs } from '../../support/needs.ts';
import { anyShell, describeShells } from '../../support/shells.ts';
import { large } from '../../support/size.ts';
import { type EmbeddedServer, startEmbedded } from './support/embedded.ts';
import { localSpec } from './support/local-spec.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';
import { noSshd, startSshd, type TestServer } from './support/sshd.ts';

// Some tests kill shells before they can clean up: their files go where this file's do.
const temporary = mkdtempSync(join(tmpdir(), 'reeve-limits-'));
const { TMPDIR: before } = process.env;
beforeAll(() => {
  process.env.TMPDIR = temporary;
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(temporary, { recursive: true, force: true });
});

describeShells('over local, %s', ({ command }) => {
  suite(() => localSpec(command));
});

// What differs from shell to shell is seen locally.
describe.concurrent(`over OpenSSH, ${anyShell.name}`, needs(noSshd), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startSshd(`SetEnv TMPDIR=${temporary} HOME=${temporary}`);
  });
  afterAll(() => server.stop());
  suite(() => server.spec({ shell: anyShell.command }));
});

// The way over ssh of a machine without sshd.
describe.concurrent(`over the embedded server, ${anyShell.name}`, noSshd ? {} : large, () => {
  let server: EmbeddedServer;
  beforeAll(async () => {
    server = await startEmbedded({ password: 'pw', noise: 'Welcome!\n' });
  });
  afterAll(() => server.stop());
  suite(() => ({
    host: 'embedded',
    transport: 'ssh',
    address: '127.0.0.1',
    port: server.port,
    user: 'me',
    password: 'pw',
    hostKeyChecking: 'off',
    shell: anyShell.command,
  }));
});

/** Long enough for the script to be at work on a busy machine, short for a test. */
const SHORT = 2_000;

type Finishing = Pick<TestContext, 'onTestFinished'>;
type Run = (script: string, extra?: Partial<ShellRequest>) => Promise<RunResult>;

/** Tests run beside each other, since most of their time is limits; so each has connections of its own. */
function suite(specOf: () => ConnectionSpec): void {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reeve-limits-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function open({ onTestFinished }: Finishing): Run {
    const connections = createConnections({ sshConfigFiles: [] });
    onTestFinished(() => connections.close());
    const spec = specOf();
    return (script, extra = {}) => connections.run(spec, undefined, { script, timeout: 100_000, ...extra });
  }

  describe.concurrent.each([{ isolated: false }, { isolated: true }])('isolated: $isolated', ({ isolated }) => {
    test('a time limit leaves no process behind, and what was printed is kept', async (context) => {
      const run = open(context);
      const nap = uniqueSleep();
      const script = `echo begun; sleep ${nap} & (sleep ${nap}; echo never) | cat & sleep ${nap}; echo never`;
      const result = await run(script, { isolated, timeout: SHORT });
      expect(result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
      await until('all sleeps have ended', () => processesWith(`sleep ${nap}`).length === 0);
      expect(await run('echo well', { isolated })).toMatchObject({ stdout: 'well\n', timedOut: false });
    });

    test('a command that does not heed TERM is killed', async (context) => {
      const run = open(context);
      const nap = uniqueSleep();
      const result = await run(`trap '' TERM; sleep ${nap}; sleep ${nap}`, { isolated, timeout: SHORT });
      expect(result.timedOut).toBe(true);
      await until('all sleeps have ended', () => processesWith(`sleep ${nap}`).length === 0);
    });

    test('an abort ends the processes and rejects with its reason', async (context) => {
      const run = open(context);
      const nap = uniqueSleep();
      const abort = new AbortController();
      const promise = run(`sleep ${nap}`, { isolated, signal: abort.signal });
      promise.catch(() => {});
      await until('the sleep runs', () => processesWith(`sleep ${nap}`).length > 0);
      abort.abort(new Error('enough'));
      await expect(promise).rejects.toThrow('enough');
      await until('the sleep has ended', () => processesWith(`sleep ${nap}`).length === 0);
      expect((await run('echo well', { isolated })).stdout).toBe('well\n');
    });

    test('aborted before it began: nothing runs', async (context) => {
      const run = open(context);
      const file = join(folder, `never-${isolated}`);
      await expect(run(`: >${file}`, { isolated, signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
      expect(existsSync(file)).toBe(false);
    });

    test('a shell that is killed while it works is reported as lost, and the next request has a new one', async (context) => {
      const run = open(context);
      // Who holds its streams open holds up nobody.
      const nap = uniqueSleep();
      // In a direct script $$ is the shell itself.
      const lost = run(`kill -KILL ${isolated ? '$PPID' : '$$'}; sleep ${nap}`, { isolated });
      await expect(lost).rejects.toMatchObject({ code: 'unreachable', mayHaveRun: true });
      expect((await run('echo well', { isolated })).stdout).toBe('well\n');
      await until('its child runs', () => processesWith(`sleep ${nap}`).length > 0);
      for (const pid of processesWith(`sleep ${nap}`)) process.kill(pid, 'SIGKILL');
    });
  });

  test.concurrent('what runs in the shell itself begins nothing after its limit', async (context) => {
    const run = open(context);
    const nap = uniqueSleep();
    const file = join(folder, 'after');
    const result = await run(`echo begun; sleep ${nap}; : >${file}`, { inShell: true, timeout: SHORT });
    expect(result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
    await until('the sleep has ended', () => processesWith(`sleep ${nap}`).length === 0);
    expect((await run('echo well', { inShell: true })).stdout).toBe('well\n');
    expect(existsSync(file)).toBe(false);
  });

  test.concurrent('a shell that dies while idle is replaced', async (context) => {
    const run = open(context);
    const pid = (await run('echo $$')).stdout;
    process.kill(Number(pid), 'SIGKILL');
    // Until the news has come, a request may still be sent into the void; that is an error which says so.
    await until('another shell answers', async () => {
      const next = await run('echo $$').catch((error) => {
        expect(error).toMatchObject({ code: 'unreachable', mayHaveRun: true });
      });
      return next !== undefined && next.stdout !== pid;
    });
  });

  test.concurrent('a long command is followed: its output comes before its end, all of it once', async (context) => {
    const run = open(context);
    using gate = new Gate(join(folder, 'gate'));
    let seen = '';
    const onOutput = (stream: string, text: Buffer) => {
      seen += `${stream}:${text}`;
    };
    const promise = run(`echo one; echo two >&2; : <${gate.path}; echo three`, {
      isolated: true,
      onOutput,
    });
    await until('the tail shows the beginning', () => seen.includes('one') && seen.includes('two'));
    expect(seen).not.toContain('three');
    gate.open();
    expect((await promise).stdout).toBe('one\nthree\n');
    expect(seen).toBe('stdout:one\nstderr:two\nstdout:three\n');
  });
}

describeShells('a channel that ends in the middle of a request, %s', ({ command }) => {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-cut-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.concurrent.each([
    { what: 'the input', isolated: false },
    { what: 'the input', isolated: true },
    { what: 'the script', isolated: false },
    { what: 'the script', isolated: true },
  ])('nothing runs on half of $what (isolated: $isolated)', async ({ what, isolated }) => {
    const streams: ByteStream[] = [];
    const local = localTransport();
    const transport = {
      ...local,
      async open(text: string) {
        streams.push(await local.open(text));
        return streams.at(-1)!;
      },
    };
    const spec = localSpec(command);
    const shell = await openShell(spec, undefined, transport, { host: spec.host });
    await shell.run({ script: ':', timeout: 100_000 });
    const done = join(folder, `done-${what}-${isolated}`);
    const padding = `${'# padding\n'.repeat(2_000_000)}`;
    const request =
      what === 'the script' ? { script: `: >'${done}'\n${padding}` } : { script: `cat; : >'${done}'`, stdin: padding };
    const promise = shell.run({ ...request, isolated, timeout: 20_000 });
    promise.catch(() => {});
    // 20 MB do not fit into the socket: part of it is still here when the end comes.
    await new Promise((resolve) => setImmediate(resolve));
    streams[0]!.stdin.destroy();
    await expect(promise).rejects.toMatchObject({ code: 'unreachable' });
    expect(existsSync(done)).toBe(false);
    await shell.close();
  });
});
