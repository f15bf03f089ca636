import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHosts } from '../../lab/hosts/types.ts';
import { connect, run, runOnce } from './ssh-client.ts';

let lab: LabHosts;
beforeAll(async () => {
  lab = await startHosts({ hosts: [{ name: 'one' }, { name: 'two', password: 'open sesame' }], rebootMs: 50 });
});
afterAll(() => lab.stop());

describe('the embedded SSH service', () => {
  it('gives both streams and the exit code', async () => {
    const result = await runOnce(lab, lab.get('one'), 'echo out; echo err >&2; exit 7');
    expect(result).toMatchObject({ out: 'out', err: 'err', code: 7 });
  });

  it('says which signal ended a command', async () => {
    expect(await runOnce(lab, lab.get('one'), 'kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('carries every byte value in both directions', async () => {
    const client = await connect(lab, lab.get('one'));
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    expect((await run(client, 'cat', bytes)).stdout.equals(bytes)).toBe(true);
    client.end();
  });

  it('carries 50 MB each way, whatever the window is', async () => {
    const client = await connect(lab, lab.get('one'));
    const out = await run(client, 'dd if=/dev/zero bs=1048576 count=50 2>/dev/null');
    expect(out.stdout.length).toBe(50 * 1048576);
    const both = await run(client, 'dd if=/dev/zero bs=1048576 count=8 2>/dev/null | tee /dev/stderr');
    expect([both.stdout.length, both.stderr.length]).toEqual([8 * 1048576, 8 * 1048576]);
    expect((await run(client, 'wc -c', Buffer.alloc(50 * 1048576))).stdout.toString().trim()).toBe(`${50 * 1048576}`);
    client.end();
  });

  it('lets a process in the background hold the channel, as sshd does', async () => {
    const client = await connect(lab, lab.get('one'));
    await run(client, 'mkfifo "$HOME/go"');
    const held = run(client, 'echo early; (read -r go <"$HOME/go"; echo late) & exit 3');
    await run(client, 'echo >"$HOME/go"');
    expect(await held).toMatchObject({ code: 3, stdout: Buffer.from('early\nlate\n') });
    client.end();
  });

  it('does not end a quiet process when the connection is cut', async () => {
    const host = lab.get('one');
    const client = await connect(lab, host);
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.on('close', () => resolve()));
    client.exec('mkfifo "$HOME/wake"; read -r go <"$HOME/wake"; echo survived >"$HOME/proof"', () => {});
    const other = await connect(lab, host);
    await run(other, 'until [ -p "$HOME/wake" ]; do :; done');
    host.dropConnections();
    await closed;
    const result = await runOnce(
      lab,
      host,
      'echo >"$HOME/wake"; until [ -s "$HOME/proof" ]; do :; done; cat "$HOME/proof"',
    );
    expect(result.out).toBe('survived');
  });

  it('lets a process that prints run into a closed pipe after the connection is cut', async () => {
    const host = lab.get('one');
    const client = await connect(lab, host);
    client.on('error', () => {});
    const printing = new Promise((resolve) => {
      client.exec('echo $$; while :; do echo line; done', (_error, channel) => {
        channel.once('data', (text: Buffer) => resolve(Number.parseInt(text.toString(), 10)));
      });
    });
    const pid = await printing;
    expect(host.processes()).toContain(pid);
    host.dropConnections();
    await until(() => !host.processes().includes(pid as number));
  });

  it('refuses a wrong key, a wrong user, and a wrong password', async () => {
    const { default: ssh2 } = await import('ssh2');
    const { generateKey } = await import('../../lab/hosts/keys.ts');
    const attempt = (name: string, auth: object) =>
      new Promise<string>((resolve) => {
        const host = lab.get(name);
        const client = new ssh2.Client();
        client.on('ready', () => {
          client.end();
          resolve('in');
        });
        client.on('error', (error) => resolve(error.message));
        client.connect({ host: host.address, port: host.port, username: host.user, ...auth });
      });
    expect(await attempt('one', { privateKey: generateKey('stranger').private })).toMatch(
      /authentication methods failed/,
    );
    expect(await attempt('one', { password: 'open sesame' })).toMatch(/authentication methods failed/);
    expect(await attempt('two', { password: 'wrong' })).toMatch(/authentication methods failed/);
    expect(await attempt('two', { password: 'open sesame' })).toBe('in');
    expect(await attempt('two', { username: 'nobody-here', password: 'open sesame' })).toMatch(/methods failed/);
  });

  it('allows ten sessions on one connection and no more', async () => {
    const client = await connect(lab, lab.get('one'));
    const open = () =>
      new Promise<string>((resolve) => client.exec('cat', (error) => resolve(error ? error.message : 'open')));
    const answers = await Promise.all(Array.from({ length: 11 }, open));
    expect(answers.filter((answer) => answer === 'open')).toHaveLength(10);
    client.end();
  });

  it('forwards to a port on loopback', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as { port: number };
    const client = await connect(lab, lab.get('one'));
    const answer = await new Promise<string>((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, '127.0.0.1', port, (error, stream) => {
        if (error) return reject(error);
        stream.once('data', (text: Buffer) => resolve(text.toString()));
        stream.write('hello');
      });
    });
    expect(answer).toBe('hello');
    client.end();
    echo.close();
  });

  it('refuses connections for a while and comes back on the same port', async () => {
    const host = lab.get('two');
    const { port } = host;
    let release = () => {};
    const back = host.refuse(new Promise<void>((resolve) => (release = resolve)));
    await expect(connect(lab, host)).rejects.toThrow(/ECONNREFUSED/);
    release();
    await back;
    expect((await runOnce(lab, host, 'hostname')).out).toBe('two');
    expect(host.port).toBe(port);
  });

  it('works behind latency', async () => {
    const host = lab.get('two');
    host.setLatency(5);
    expect((await runOnce(lab, host, 'echo slow')).out).toBe('slow');
    host.setLatency(0);
  });

  it('reboots when told to on the host: another boot id, nothing running, run/ empty', async () => {
    const host = lab.get('two');
    const before = (await runOnce(lab, host, 'cat /proc/sys/kernel/random/boot_id')).out;
    expect(before).toBe(host.bootId);
    await runOnce(lab, host, 'touch "$LAB_ROOT/run/mark"; sleep 1000 >/dev/null 2>&1 & reboot');
    await until(() => host.bootId !== before);
    await until(async () => (await connect(lab, host).catch(() => undefined))?.end() !== undefined);
    expect((await runOnce(lab, host, 'cat /proc/sys/kernel/random/boot_id')).out).toBe(host.bootId);
    expect(existsSync(`${host.root}/run/mark`)).toBe(false);
    expect(host.processes()).toEqual([]);
  });
});

/** Asks again until it is so; the test's own time limit ends a wait for nothing. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(5);
}
