import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2, { type ConnectConfig } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey } from '../../lab/hosts/keys.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { Backend, LabHost, LabHosts } from '../../lab/hosts/types.ts';
import { missing, missingSshd } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { until } from './helpers.ts';
import { connect, run, runOnce } from './ssh-client.ts';

const backends: Backend[] = ['embedded', 'openssh'];
const lacks = (backend: Backend) => (backend === 'openssh' ? missingSshd() : undefined);

for (const backend of backends) {
  describe(`the ${backend} SSH service`, needs(lacks(backend)), () => suite(backend));
}

function suite(backend: Backend): void {
  let lab: LabHosts;
  beforeAll(async () => {
    lab = await startHosts({ backend, hosts: [{ name: 'one' }, { name: 'two', shell: 'bash' }], rebootMs: 50 });
  });
  afterAll(() => lab.stop());

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

  it('refuses a wrong key and a wrong user', async () => {
    const host = lab.get('one');
    const stranger = generateKey('stranger').private;
    expect(await attempt(host, { privateKey: stranger })).toMatch(/authentication methods failed/);
    const privateKey = readFileSync(lab.privateKeyFile);
    expect(await attempt(host, { privateKey, username: 'nobody-here' })).toMatch(/authentication methods failed/);
    expect(await attempt(host, { privateKey })).toBe('in');
  });

  it('takes a login shell that reads its commands', async () => {
    const client = await connect(lab, lab.get('one'));
    const text = await new Promise<string>((resolve, reject) => {
      client.shell(false, (error, channel) => {
        if (error) return reject(error);
        let out = '';
        channel.on('data', (chunk: Buffer) => (out += chunk));
        channel.on('close', () => resolve(out));
        channel.end('echo "$LAB_HOST"\ncd "$TMPDIR" && pwd\n');
      });
    });
    expect(text).toBe(`one\n${lab.get('one').root}/tmp\n`);
    client.end();
  });

  it('has the environment of its host, and real pipes', async () => {
    const host = lab.get('two');
    const result = await runOnce(
      lab,
      host,
      'echo $HOME; echo oops >/dev/stderr; command -v systemctl; echo ${BASH_VERSION:+bash}',
    );
    expect(result.out).toBe(`${host.root}/root\n${host.root}/usr/bin/systemctl\nbash`);
    expect(result.err).toBe('oops');
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

  it('answers keep-alives while a command is quiet', async () => {
    const client = await connect(lab, lab.get('one'), { keepaliveInterval: 50, keepaliveCountMax: 12 });
    expect(await run(client, 'sleep 1; echo still here')).toMatchObject({
      code: 0,
      stdout: Buffer.from('still here\n'),
    });
    client.end();
  });

  it("serves the system's ssh, also through a jump host", needs(missing('ssh')), async () => {
    const config = join(lab.dir, 'ssh_config');
    const common = `User ${lab.get('one').user}\nIdentityFile ${lab.privateKeyFile}\nUserKnownHostsFile ${lab.knownHostsFile}\nStrictHostKeyChecking yes\nBatchMode yes\n`;
    const blocks = lab.hosts.map(
      ({ name, address, port }) => `Host ${name}\nHostName ${address}\nPort ${port}\n${common}`,
    );
    writeFileSync(config, blocks.join('').replace('Host two\n', 'Host two\nProxyJump one\n'));
    const before = lab.get('one').counts.connections;
    const ssh = promisify(execFile)('ssh', ['-F', config, 'two', 'cat; hostname; echo err >&2']);
    ssh.child.stdin?.end('input\n');
    expect(await ssh).toMatchObject({ stdout: 'input\ntwo\n' });
    expect(lab.get('one').counts.connections).toBe(before + 1);
    const failed = promisify(execFile)('ssh', ['-n', '-F', config, 'one', 'exit 9']);
    await expect(failed).rejects.toMatchObject({ code: 9 });
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
}

describe('passwords', () => {
  it('let in only who has the right one, and only where the host allows them', async () => {
    const lab = await startHosts({ hosts: [{ name: 'key' }, { name: 'word', password: 'open sesame' }] });
    expect(await attempt(lab.get('key'), { password: 'open sesame' })).toMatch(/authentication methods failed/);
    expect(await attempt(lab.get('word'), { password: 'wrong' })).toMatch(/authentication methods failed/);
    expect(await attempt(lab.get('word'), { password: 'open sesame' })).toBe('in');
    await lab.stop();
  });
});

describeShells('becoming another user on %s', ({ name: shell }) => {
  it('asks for the password as sudo, su and doas do', async () => {
    const lab = await startHosts({ hosts: [{ name: 'one', shell, become: true }] });
    const host = lab.get('one');
    const client = await connect(lab, host);
    const become = async (command: string, stdin = '') => {
      const { code, stdout, stderr } = await run(client, command, stdin);
      return [code, `${stdout}`.trim(), `${stderr}`.trim()];
    };
    const who = "sh -c 'cat; echo $LAB_BECAME ${FOO-unset}'";
    expect(await become(`FOO=kept sudo -n -u admin -- ${who}`, 'in ')).toEqual([0, 'in admin unset', '']);
    expect(await become('doas -n -u admin -- sh -c "exit 5"')).toEqual([5, '', '']);
    expect(await become(`su admin -c 'echo $LAB_BECAME'`)).toEqual([0, 'admin', '']);
    host.setKnob('become-password', 'tell nobody');
    expect(await become(`sudo -n ${who}`)).toEqual([1, '', 'sudo: a password is required']);
    expect(await become(`sudo -S -p 'say it:' ${who}`, 'tell nobody\nrest ')).toEqual([
      0,
      'rest root unset',
      'say it:',
    ]);
    expect((await become(`sudo -S -p '' ${who}`, 'a\nb\nc\n')).at(-1)).toMatch(/Sorry, try again.*3 incorrect/s);
    expect((await become(`sudo -S ${who}`)).at(-1)).toContain('no password was provided');
    expect((await become(`sudo ${who}`)).at(-1)).toContain('a terminal is required');
    expect(await become('su root -c true', 'wrong\n')).toEqual([1, '', 'Password: su: Authentication failure']);
    expect(await become('su root -c cat', 'tell nobody\nrest')).toEqual([0, 'rest', 'Password:']);
    expect(await become('doas -n true')).toEqual([1, '', 'doas: Authentication required']);
    client.end();
    await lab.stop();
  });
});

describe('addresses', () => {
  it('are loopback, and nothing else', async () => {
    const lab = await startHosts({ hosts: [{ name: 'one', address: '127.0.2.1' }] });
    expect((await runOnce(lab, lab.get('one'), 'echo in')).out).toBe('in');
    await lab.stop();
    await expect(startHosts({ hosts: [{ name: 'one', address: '0.0.0.0' }] })).rejects.toThrow('loopback only');
  });
});

describe('the end of a lab', () => {
  it('leaves no process, no folder and no listener', async () => {
    const lab = await startHosts({ hosts: [{ name: 'one' }] });
    const host = lab.get('one');
    await runOnce(lab, host, 'cd / && setsid sh -c "exec sleep 1000" >/dev/null 2>&1 </dev/null &');
    await until(() => host.processes().length > 0);
    const { port, address } = host;
    await lab.stop();
    expect(host.processes()).toEqual([]);
    expect(existsSync(lab.dir)).toBe(false);
    await expect(reach(address, port)).rejects.toThrow(/ECONNREFUSED/);
  });

  for (const backend of backends) {
    it(`comes too when the process that made it is interrupted (${backend})`, needs(lacks(backend)), () =>
      interrupt(backend),
    );
  }
});

async function interrupt(backend: Backend): Promise<void> {
  const module = join(import.meta.dirname, '../../lab/hosts/start-hosts.ts');
  const program = `import { startHosts } from ${JSON.stringify(module)};
      const lab = await startHosts({ hosts: [{ name: 'one' }], backend: '${backend}' });
      console.log(lab.dir);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const dir = await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(`${text}`.trim())));
  expect(existsSync(dir)).toBe(true);
  expect(commandLines().some((line) => line.includes(dir))).toBe(backend === 'openssh');
  child.kill('SIGINT');
  const signal = await new Promise((resolve) => child.on('exit', (_code, name) => resolve(name)));
  expect(signal).toBe('SIGINT');
  expect(existsSync(dir)).toBe(false);
  await until(() => !commandLines().some((line) => line.includes(dir)));
}

/** Command lines of all processes; none where there is no /proc. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}

/** Connects and says `in`, or why not. */
function attempt(host: LabHost, auth: ConnectConfig): Promise<string> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    client.on('ready', () => {
      client.end();
      resolve('in');
    });
    client.on('error', (error) => resolve(error.message));
    client.connect({ host: host.address, port: host.port, username: host.user, ...auth });
  });
}

function reach(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = netConnect(port, address, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
