import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import { endJob, inspectJob, type RunJobOptions, removeJobs, runJob } from '../../../runner/connect/jobs.ts';
import type { Connections, ShellRequest } from '../../../runner/connect/types.ts';
import { missingProc } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { type EmbeddedServer, startEmbedded } from './support/embedded.ts';
import { localSpec } from './support/local-spec.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';

const bootFile = '/proc/sys/kernel/random/boot_id';

/** A folder for jobs that goes with the test. */
function newDir({ onTestFinished }: TestContext): string {
  const base = mkdtempSync(join(tmpdir(), 'reeve-jobs-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return join(base, "state 'dir'");
}

describeShells('jobs, %s', ({ command }) => {
  const connections = createConnections();
  afterAll(() => connections.close());
  const run = (request: ShellRequest) => connections.run(localSpec(command), undefined, request);
  /** The jobs of one test, in a folder of its own: tests wait beside each other. */
  function jobs(context: TestContext) {
    const dir = newDir(context);
    return {
      dir,
      folder: join(dir, 'job-install'),
      job: (extra: Partial<RunJobOptions>) =>
        runJob(run, { dir, name: 'install', script: ':', timeout: 100_000, ...extra }),
    };
  }

  test.concurrent('code, output, input and variables are exact; removed, nothing is left', async (context) => {
    const { dir, job } = jobs(context);
    let seen = '';
    const result = await job({
      script: "cat; echo \"$VALUE\" >&2; printf 'it'\"'\"'s'; exit 5",
      stdin: Buffer.from([0, 255, 10, 10]),
      env: { VALUE: "a'b\nc" },
      onOutput: (stream, text) => {
        seen += `${stream}:${text.toString('latin1')};`;
      },
    });
    expect(result).toMatchObject({ code: 5, stderr: "a'b\nc\n", timedOut: false });
    expect(result.raw.stdout).toEqual(Buffer.concat([Buffer.from([0, 255, 10, 10]), Buffer.from("it's")]));
    expect(seen).toContain("it's");
    await removeJobs(run, dir, 'install');
    expect(readdirSync(dir)).toEqual([]);
  });

  test.concurrent('a script and an output of some megabytes', async (context) => {
    const { job } = jobs(context);
    const script = `# ${'x'.repeat(300_000)}\ndd if=/dev/zero bs=1048576 count=5 2>/dev/null`;
    expect((await job({ script, stdin: Buffer.alloc(3_000_000) })).raw.stdout.length).toBe(5 * 1048576);
  });

  test.concurrent('a syntax error, an exit code of 0 and no output', async (context) => {
    const { job } = jobs(context);
    expect((await job({ script: 'if then' })).code).not.toBe(0);
    expect(await job({ script: 'exit 0' })).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test.concurrent('the time limit ends its processes and keeps what it printed', async (context) => {
    const { job } = jobs(context);
    const nap = uniqueSleep();
    const result = await job({ script: `echo begun; sleep ${nap} & sleep ${nap}`, timeout: 3_000 });
    expect(result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
    await until('all sleeps have ended', () => processesWith(`sleep ${nap}`).length === 0);
  });

  test.concurrent('a signal that a clock aborts is a time limit too', async (context) => {
    const { job } = jobs(context);
    const nap = uniqueSleep();
    const clock = new AbortController();
    const result = job({ script: `echo begun; sleep ${nap}`, signal: clock.signal });
    await until('it runs', () => processesWith(`sleep ${nap}`).length > 0);
    clock.abort(new DOMException('time limit', 'TimeoutError'));
    expect(await result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
    await until('the sleep has ended', () => processesWith(`sleep ${nap}`).length === 0);
  });

  test.concurrent('its folder is private, and only one of a name runs', async (context) => {
    const { dir, folder, job } = jobs(context);
    const gate = join(dir, 'gate');
    const first = job({ script: `while [ ! -e "${gate}" ]; do sleep 0.2; done; echo done` });
    await until('it runs', async () => (await inspectJob(run, dir, 'install')) === 'running');
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    await expect(job({ script: 'echo second' })).rejects.toMatchObject({ code: 'job-running' });
    const attached = job({ script: 'echo never', attach: true });
    writeFileSync(gate, '');
    expect((await attached).stdout).toBe('done\n');
    expect((await first).stdout).toBe('done\n');
    await removeJobs(run, dir, 'inst');
    expect(readdirSync(dir)).toEqual(['gate']);
  });

  test.concurrent('an aborted wait leaves the job at work; a later run attaches, endJob ends it', async (context) => {
    const { dir, job } = jobs(context);
    const nap = uniqueSleep();
    const abort = new AbortController();
    const first = job({ script: `echo begun; sleep ${nap}`, signal: abort.signal });
    first.catch(() => {});
    await until('it runs', () => processesWith(`sleep ${nap}`).length > 0);
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await removeJobs(run, dir, 'install');
    expect(await inspectJob(run, dir, 'install')).toBe('running');
    await endJob(run, dir, 'install');
    await until('the sleep has ended', () => processesWith(`sleep ${nap}`).length === 0);
    await removeJobs(run, dir, 'inst');
    expect(await inspectJob(run, dir, 'install')).toBeUndefined();
  });

  test.concurrent('a job that ended while nobody looked is found with its result; without attach it runs anew', async (context) => {
    const { dir, job } = jobs(context);
    await job({ script: 'echo first; exit 3' });
    expect(await inspectJob(run, dir, 'install')).toBe('ended');
    expect(await job({ script: 'echo never', attach: true })).toMatchObject({ code: 3, stdout: 'first\n' });
    expect(await job({ script: 'echo second' })).toMatchObject({ code: 0, stdout: 'second\n' });
  });

  test.concurrent(
    'a job from before a restart without an exit code is reported as such',
    needs(missingProc),
    async (context) => {
      const { dir, folder, job } = jobs(context);
      await job({ script: 'exit 0' });
      rmSync(join(folder, 'code'));
      writeFileSync(join(folder, 'boot'), 'another-boot\n');
      expect(await inspectJob(run, dir, 'install')).toBe('rebooted');
      await expect(job({ attach: true })).rejects.toMatchObject({ code: 'job-rebooted' });
      // Its pid may be anybody's by now: it is not touched.
      writeFileSync(join(folder, 'pid'), `${process.pid} \n`);
      await endJob(run, dir, 'install');
    },
  );

  test.concurrent('what a start that was cut off has left is no job', async (context) => {
    const { folder, job } = jobs(context);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'id'), 'other\n');
    writeFileSync(join(folder, 'boot'), existsSync(bootFile) ? readFileSync(bootFile) : '\n');
    expect(await job({ script: 'echo done' })).toMatchObject({ code: 0, stdout: 'done\n' });
  });

  test.concurrent('a job that was killed without a trace is noticed', async (context) => {
    const { folder, job } = jobs(context);
    const nap = uniqueSleep();
    const lost = job({ script: `sleep ${nap}` });
    lost.catch(() => {});
    await until('it runs', () => processesWith(`sleep ${nap}`).length > 0);
    const [pid] = readFileSync(join(folder, 'pid'), 'utf8').split(' ');
    process.kill(-Number(pid), 'SIGKILL');
    await expect(lost).rejects.toMatchObject({ code: 'job-vanished' });
  });

  test.concurrent('another process with the same number is not taken for the job', async (context) => {
    const { dir, folder, job } = jobs(context);
    await job({ script: 'exit 0' });
    rmSync(join(folder, 'code'));
    writeFileSync(join(folder, 'pid'), `${process.pid} 1\n`);
    expect(await inspectJob(run, dir, 'install')).toBe('vanished');
  });
});

describe('jobs over a connection that drops', () => {
  let server: EmbeddedServer;
  let connections: Connections;
  beforeAll(async () => {
    server = await startEmbedded({ password: 'pw' });
    connections = createConnections({ sshConfigFiles: [], identityFiles: [], agent: '' });
  });
  afterAll(async () => {
    await connections.close();
    await server.stop();
  });

  test.concurrent('it goes on, and every byte of its output arrives once', async (context) => {
    const dir = newDir(context);
    const spec = {
      host: 'lab',
      transport: 'ssh',
      address: '127.0.0.1',
      port: server.port,
      user: 'me',
      password: 'pw',
      hostKeyChecking: 'off',
    } as const;
    const gate = join(dir, 'gate');
    let seen = '';
    const promise = runJob((request) => connections.run(spec, undefined, request), {
      dir,
      name: 'install',
      script: `echo one; while [ ! -e "${gate}" ]; do sleep 0.2; done; echo two`,
      timeout: 100_000,
      onOutput: (_stream, text) => {
        seen += text;
      },
    });
    await until('it has begun', () => seen === 'one\n');
    server.cut();
    writeFileSync(gate, '');
    expect((await promise).stdout).toBe('one\ntwo\n');
    expect(seen).toBe('one\ntwo\n');
    expect(server.logins).toBeGreaterThan(1);
  });

  test.concurrent('a host that stays away is unreachable at the deadline; the job is said to go on', async (context) => {
    const dir = newDir(context);
    const spec = {
      host: 'gone',
      transport: 'ssh',
      address: '127.0.0.1',
      port: 1,
      user: 'me',
      password: 'pw',
      hostKeyChecking: 'off',
    } as const;
    const told: string[] = [];
    const promise = runJob((request) => connections.run(spec, undefined, request), {
      dir,
      name: 'install',
      script: ':',
      timeout: 2_400,
      onAway: (message) => void told.push(message),
    });
    await expect(promise).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('may still be running'),
    });
    expect(told).toEqual([expect.stringMatching(/127\.0\.0\.1.*; trying again for /)]);
  });
});
