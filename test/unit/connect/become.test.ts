import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import type { Become, Connections } from '../../../runner/connect/types.ts';
import { missing, missingRoot } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { localSpec } from './support/local-spec.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';
import { noSshd, startSshd } from './support/sshd.ts';
import { FAKE_DOAS, FAKE_SU, FAKE_SUDO, standIns } from './support/stand-ins.ts';

const PASSWORD = 'pass word$"';

describeShells('become, %s', ({ command }) => {
  let connections: Connections;
  let programs: ReturnType<typeof standIns>;
  const spec = localSpec(command);
  const who = async (become: Become) =>
    (await connections.run(spec, become, { script: 'echo "$BECAME"; cat', stdin: 'input', timeout: 20_000 })).stdout;

  beforeAll(() => {
    programs = standIns({ sudo: FAKE_SUDO, su: FAKE_SU, doas: FAKE_DOAS });
    connections = createConnections();
  });
  afterAll(async () => {
    await connections.close();
    programs.remove();
  });

  test('sudo without a password', async () => {
    expect(await who({ method: 'sudo', user: 'free' })).toBe('free\ninput');
  });

  test('sudo that wants a password which nobody gave fails at once', async () => {
    await expect(who({ method: 'sudo', user: 'root' })).rejects.toMatchObject({
      code: 'become-failed',
      message: expect.stringContaining('a password is required'),
      hint: expect.stringContaining('become_password'),
    });
  });

  test('sudo with a password: the lecture and the prompt do not reach the output', async () => {
    expect(await who({ method: 'sudo', user: 'root', password: PASSWORD })).toBe('root\ninput');
  });

  test('a password that is not asked for does not reach the shell', async () => {
    expect(await who({ method: 'sudo', user: 'free', password: 'echo intruder' })).toBe('free\ninput');
  });

  test('a wrong password fails at the second prompt', async () => {
    const attempt = who({ method: 'sudo', user: 'root', password: 'wrong' });
    await expect(attempt).rejects.toMatchObject({
      code: 'become-failed',
      message: expect.stringContaining('not accepted'),
    });
  });

  test('su with a password, right and wrong', async () => {
    expect(await who({ method: 'su', user: 'admin', password: PASSWORD })).toBe('admin\ninput');
    await expect(who({ method: 'su', user: 'admin', password: 'wrong' })).rejects.toMatchObject({
      code: 'become-failed',
      message: expect.stringContaining('Authentication failure'),
    });
  });

  test('doas without a password; with one it is refused, since it needs a terminal', async () => {
    expect(await who({ method: 'doas', user: 'op' })).toBe('op\ninput');
    await expect(who({ method: 'doas', user: 'closed' })).rejects.toMatchObject({
      code: 'become-failed',
      message: expect.stringContaining('not permitted'),
    });
    await expect(who({ method: 'doas', user: 'op', password: 'x' })).rejects.toMatchObject({
      code: 'become-failed',
      message: expect.stringContaining('terminal'),
    });
  });

  test('each user has shells of its own', async () => {
    const one = await connections.run(spec, { method: 'sudo', user: 'free' }, { script: 'echo $$', timeout: 9_000 });
    const two = await connections.run(spec, { method: 'doas', user: 'op' }, { script: 'echo $$', timeout: 9_000 });
    const none = await connections.run(spec, undefined, { script: 'echo $$', timeout: 9_000 });
    expect(new Set([one.stdout, two.stdout, none.stdout]).size).toBe(3);
  });

  test('isolated commands and time limits work for the other user', async () => {
    const become: Become = { method: 'sudo', user: 'root', password: PASSWORD };
    const result = await connections.run(spec, become, { script: 'echo $BECAME', timeout: 9_000, isolated: true });
    expect(result.stdout).toBe('root\n');
    const late = await connections.run(spec, become, { script: 'echo x; sleep 60', timeout: 300, isolated: true });
    expect(late).toMatchObject({ timedOut: true, stdout: 'x\n' });
  });
});

const becomesNobody = () => spawnSync('sudo', ['-n', '-u', 'nobody', 'true']).status === 0;
const noSudo =
  missingRoot ?? missing('sudo') ?? (becomesNobody() ? undefined : 'a sudo that lets root become nobody is needed');

describeShells(
  'become with the real programs, %s',
  ({ command }) => {
    const connections = createConnections();
    const spec = localSpec(command);
    afterAll(() => connections.close());

    test('sudo to another user, who cannot read the folder of the first', async () => {
      const become: Become = { method: 'sudo', user: 'nobody' };
      const uid = execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' });
      const own = await connections.run(spec, undefined, { script: 'echo ${0%/*}', timeout: 9_000, isolated: true });
      const result = await connections.run(spec, become, {
        script: 'id -u; ls "$F" 2>/dev/null; cat',
        env: { F: own.stdout.trim() },
        stdin: Buffer.alloc(5_000, 7),
        timeout: 9_000,
        isolated: true,
      });
      expect(result.stdout).toBe(`${uid}${'\x07'.repeat(5_000)}`);
      const late = await connections.run(spec, become, { script: 'echo x; sleep 60', timeout: 300 });
      expect(late).toMatchObject({ timedOut: true, stdout: 'x\n' });
    });

    test('su, and an account that may not log in', async () => {
      const su = await connections.run(
        spec,
        { method: 'su', user: 'root' },
        { script: "echo 'it'; id -u", timeout: 9_000 },
      );
      expect(su.stdout).toBe('it\n0\n');
      const locked = connections.run(spec, { method: 'su', user: 'nobody' }, { script: 'id', timeout: 9_000 });
      await expect(locked).rejects.toMatchObject({ code: 'become-failed' });
    });
  },
  noSudo,
);

// sudo stops itself with a child that is stopped. Over ssh, where nobody ends it but we.
test('past a time limit no sudo is left behind', needs(noSshd ?? noSudo), async () => {
  const become: Become = { method: 'sudo', user: 'nobody' };
  const folder = mkdtempSync(join(tmpdir(), 'reeve-become-'));
  chmodSync(folder, 0o755);
  // Its name tells its processes, and those that became the user, from others.
  const shell = join(folder, 'shell');
  symlinkSync('/bin/sh', shell);
  const server = await startSshd();
  const connections = createConnections({ sshConfigFiles: [] });
  const script = `echo x; sleep ${uniqueSleep()}; echo y`;
  const late = await connections.run(server.spec({ shell }), become, { script, timeout: 2_000 });
  expect(late).toMatchObject({ timedOut: true, stdout: 'x\n' });
  await connections.close();
  await until('nothing is left', () => processesWith(shell).length === 0);
  await server.stop();
  rmSync(folder, { recursive: true });
});
