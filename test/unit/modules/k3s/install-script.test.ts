import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installScript } from '../../../../modules/k3s/install-script.ts';
import { versionCheck } from '../../../../modules/k3s/version-check.ts';
import { type JobOptions, ReeveError, type WriteTarget } from '../../../../runner/module.ts';
import { type ArtifactServer, startArtifacts } from '../../../lab/hosts/artifact-server.ts';
import { startHosts } from '../../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts } from '../../../lab/hosts/types.ts';
import { installMember } from '../../../lab/install-cluster.ts';
import { withDefaults } from '../../../lab/lab-options.ts';
import { type LabTarget, labTarget } from '../../../support/lab-target.ts';
import { large, sampled } from '../../../support/size.ts';
import { exampleArgs, fillArgs } from '../support.ts';

const old = 'v1.30.4+k3s1';
const patch = 'v1.30.6+k3s1';
const wanted = 'v1.31.5+k3s1';
const token = "sec'ret token";

let artifacts: ArtifactServer;
let lab: LabHosts;
let host: LabHost;
let lt: LabTarget;

beforeAll(async () => {
  artifacts = await startArtifacts({ versions: [old, patch, wanted] });
});
afterAll(() => artifacts.stop());

beforeEach(async () => {
  lab = await startHosts({ hosts: [{ name: 'node-1' }], rebootMs: 20 });
  host = lab.get('node-1');
  host.setKnob('k3s-start', '0.05');
  lt = labTarget(host);
});
afterEach(async () => {
  lt.dispose();
  await lab.stop();
});

const file = (path: string) => join(host.root, path);
const text = (path: string) => readFileSync(file(path), 'utf8');
const args = (more: Record<string, unknown>) =>
  fillArgs(installScript, {
    script: artifacts.installScriptUrl,
    bin_dir: file('usr/local/bin'),
    systemd_dir: file('etc/systemd/system'),
    data_dir: file('var/lib/rancher/k3s'),
    config_dir: file('etc/rancher/k3s'),
    start_timeout: '20s',
    ...more,
  });
const plan = (more: Record<string, unknown>) => installScript.plan(args(more), lt.target);
async function run(more: Record<string, unknown>) {
  const planned = await plan(more);
  if (planned.changes.length === 0) return { facts: planned.facts, undo: undefined };
  return installScript.apply!(planned.next!, lt.target);
}
const running = async () => {
  const { stdout } = await lt.target.read(
    'systemctl show -p ActiveState -p MainPID k3s k3s-agent; cat "$LAB_ROOT"/lab/events',
  );
  return stdout;
};
const newServer = (more: Record<string, unknown> = {}) =>
  run({
    version: old,
    role: 'server',
    exec_args: ['--disable', 'traefik', '--node-label', 'a=b c', '--flannel-backend=wireguard-native'],
    install_env: { K3S_TOKEN: token, HTTPS_PROXY: '', K3S_KUBECONFIG_MODE: '644' },
    ...more,
  });
/** Members as an operator has made them, by the script alone. */
const member = (role: 'server' | 'agent', join: string | undefined) =>
  installMember(
    { host, role, join, kubeconfig: undefined, artifactsUrl: artifacts.url },
    withDefaults({
      ...{ version: old, token, startMs: 50, datastore: 'sqlite' },
      ...{ serverArgs: ['--disable', 'traefik', '--node-label', 'a=b c'], agentArgs: ['--node-label', "it's=1"] },
    }),
  );
const server = () => member('server', undefined);
const agent = () => member('agent', 'https://127.0.0.1:6443');

describe('install-script', () => {
  it.each(installScript.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(installScript, exampleArgs(installScript, yaml))).not.toThrow();
  });

  it('installs a new server', async () => {
    const { facts } = await newServer();
    expect(facts).toMatchObject({ installed: old, previous: null, role: 'server', unit: 'k3s' });
    expect(text('etc/systemd/system/k3s.service')).toContain("'--disable'");
    expect(text('etc/systemd/system/k3s.service.env')).toContain('K3S_TOKEN=');
    expect(await running()).toContain('ActiveState=active');
    expect(lt.secrets).toContain(token);
    expect(lt.nodeState).toBeUndefined();
  });

  it('upgrades a server and keeps all of its arguments and variables', async () => {
    await newServer();
    const unit = text('etc/systemd/system/k3s.service');
    const env = text('etc/systemd/system/k3s.service.env');
    const planned = await plan({ version: wanted });
    expect(planned.changes.map((change) => change.summary)).toEqual([
      `k3s: ${old} → ${wanted}`,
      'SQLite database: copied while k3s is stopped',
      'k3s: restart',
    ]);
    expect(planned.predicted).toMatchObject({ installed: wanted, previous: old, role: 'server', unit: 'k3s' });
    const { facts } = await installScript.apply!(planned.next!, lt.target);
    expect(facts).toMatchObject({ installed: wanted, previous: old, datastore: 'sqlite' });
    expect(text('etc/systemd/system/k3s.service')).toBe(unit);
    expect(text('etc/systemd/system/k3s.service.env')).toBe(env);
    expect(text('lab/events').trim().split('\n').at(-1)).toContain(`active\t${wanted}\tserver`);
    expect(Number(facts!.downtime_seconds)).toBeGreaterThan(0);
    const copy = String(facts!.sqlite_copy);
    expect(readFileSync(join(copy, 'db/state.db'))).toEqual(
      readFileSync(file('var/lib/rancher/k3s/server/db/state.db')),
    );
    expect((await plan({ version: wanted })).changes).toEqual([]);
  });

  it('plans without a single write, in one round trip', async () => {
    await agent();
    lt.reads.length = 0;
    const writes = lt.writes.length;
    const events = text('lab/events');
    await plan({ version: wanted });
    expect(lt.reads).toHaveLength(1);
    expect(lt.writes).toHaveLength(writes);
    expect(text('lab/events')).toBe(events);
  });

  it('keeps an agent an agent, with nothing but its files to tell', async () => {
    await agent();
    const { facts } = await run({ version: wanted });
    expect(facts).toMatchObject({ installed: wanted, role: 'agent', unit: 'k3s-agent' });
    expect(existsSync(file('etc/systemd/system/k3s.service'))).toBe(false);
    expect(text('lab/events').trim().split('\n').at(-1)).toContain(`active\t${wanted}\tagent`);
  });

  it.each(sampled(['lose-flags', 'lose-env'], 1))(
    'puts everything back when the script %s, and does not restart',
    async (knob) => {
      await server();
      const before = {
        unit: text('etc/systemd/system/k3s.service'),
        env: text('etc/systemd/system/k3s.service.env'),
        binary: text('usr/local/bin/k3s'),
        events: text('lab/events'),
      };
      host.setKnob('install', knob);
      const error = await run({ version: wanted }).catch((e) => e);
      expect(error).toMatchObject({ code: 'install-lost-settings' });
      expect(error.message).toContain(knob === 'lose-env' ? 'variable K3S_TOKEN' : 'argument --disable');
      expect(error.message).not.toContain('sec');
      expect({
        unit: text('etc/systemd/system/k3s.service'),
        env: text('etc/systemd/system/k3s.service.env'),
        binary: text('usr/local/bin/k3s'),
        events: text('lab/events'),
      }).toEqual(before);
      expect(lt.nodeState).toBeUndefined();
      expect(readlinkSync(file('etc/systemd/system/multi-user.target.wants/k3s.service'))).toContain('k3s.service');
    },
  );

  it('puts everything back when the script fails half-way', async () => {
    await server();
    const binary = text('usr/local/bin/k3s');
    host.setKnob('install', 'corrupt');
    await expect(run({ version: wanted })).rejects.toMatchObject({ code: 'install-failed' });
    expect(text('usr/local/bin/k3s')).toBe(binary);
    expect(await running()).toContain('ActiveState=active');
  });

  it('disables the server unit that a script made on an agent', async () => {
    await agent();
    const bad = (await (await fetch(artifacts.installScriptUrl)).text()).replace('set_up "$@"', 'set_up server');
    writeFileSync(file('tmp/bad.sh'), bad);
    const error = await run({ version: wanted, script: file('tmp/bad.sh') }).catch((e) => e);
    expect(error).toMatchObject({ code: 'agent-became-server' });
    expect(existsSync(file('etc/systemd/system/multi-user.target.wants/k3s.service'))).toBe(false);
    expect(existsSync(file('etc/systemd/system/multi-user.target.wants/k3s-agent.service'))).toBe(true);
    expect(text('usr/local/bin/k3s')).toContain(old);
  });

  it('names what the script cannot keep before it runs', async () => {
    await server();
    appendFileSync(file('etc/systemd/system/k3s.service.env'), "GOGC=50\nK3S_X='a  b'\n");
    const unit = text('etc/systemd/system/k3s.service').replace('[Service]', '[Service]\nMemoryMax=2G');
    writeFileSync(file('etc/systemd/system/k3s.service'), unit);
    const error = await plan({ version: wanted }).catch((e) => e);
    expect(error).toMatchObject({ code: 'unreplayable' });
    expect(error.message).toMatch(/GOGC in .*blanks .* value of K3S_X, .*MemoryMax= in/);
    await expect(plan({ version: wanted, exec_args: ['--a=b\\tc', '--d=e\tf'] })).rejects.toThrow(
      /blanks in the argument --d=/,
    );
  });

  it('tells a wrong token from other failures to start', large, async () => {
    await agent();
    host.setKnob('token', 'another');
    const error = await run({ version: wanted, start_timeout: '10s' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'token-mismatch' });
    expect(lt.nodeState).toMatch(/half upgraded/);
  });

  it('does not wait for ever for a unit that never becomes ready', async () => {
    await agent();
    host.setKnob('k3s-start', 'forever');
    const error = await run({ version: wanted, start_timeout: '1s' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'start-failed' });
    expect(error.message).toMatch(/still activating after/);
    expect(error.message).toContain('Waiting for control-plane node');
    expect(lt.undo).toMatchObject({ version: wanted });
  });

  it('restarts a node whose binary was replaced and whose unit was not', async () => {
    await agent();
    rmSync(file('usr/local/bin/k3s'));
    writeFileSync(file('usr/local/bin/k3s'), artifacts.binary(wanted), { mode: 0o755 });
    const later = new Date(Date.now() + 5000);
    utimesSync(file('usr/local/bin/k3s'), later, later);
    const planned = await plan({ version: wanted });
    expect(planned.changes.map((change) => change.summary)).toEqual(['k3s-agent: restart']);
  });

  it('takes up an installation that was interrupted after the files were half written', async () => {
    await server();
    const unit = text('etc/systemd/system/k3s.service');
    const env = text('etc/systemd/system/k3s.service.env');
    host.setKnob('install', 'lose-flags');
    const planned = await plan({ version: wanted });
    // The control machine is gone when the script has ended: nobody looks at what it left.
    const gone = new Error('gone');
    let installed = false;
    const dying = {
      ...lt.target,
      job: async (options: JobOptions) => {
        const result = await lt.target.job(options);
        installed = true;
        return result;
      },
      read: async (script: string) => (installed ? Promise.reject(gone) : lt.target.read(script)),
    };
    await expect(installScript.apply!(planned.next!, dying)).rejects.toBe(gone);
    expect(text('etc/systemd/system/k3s.service')).not.toBe(unit);
    host.setKnob('install', undefined);
    const { facts } = await run({ version: wanted });
    expect(lt.warnings.join()).toContain('interrupted');
    expect(facts).toMatchObject({ previous: old, installed: wanted });
    expect(text('etc/systemd/system/k3s.service')).toBe(unit);
    expect(text('etc/systemd/system/k3s.service.env')).toBe(env);
    expect((await plan({ version: wanted })).changes).toEqual([]);
  });

  it('survives a connection that is lost at every script once', async () => {
    await agent();
    const planned = await plan({ version: wanted });
    const lost = new Set<string>();
    // Half of the lost scripts had run when the connection went, half had not.
    const once = (send: (script: string) => Promise<unknown>) => async (script: string) => {
      if (lost.has(script)) return send(script);
      lost.add(script);
      if (lost.size % 2 === 0) await send(script);
      throw new ReeveError('unreachable', 'connection lost');
    };
    const flaky = { ...lt.target, read: once(lt.target.read), run: once(lt.target.run), sleep: async () => {} };
    const { facts } = await installScript.apply!(planned.next!, flaky as WriteTarget);
    expect(lost.size).toBeGreaterThan(4);
    expect(facts).toMatchObject({ installed: wanted, previous: old });
    expect(text('lab/events').trim().split('\n').at(-1)).toContain(`active\t${wanted}\tagent`);
  });

  it('does not begin beside an installation that still runs', async () => {
    await agent();
    const planned = await plan({ version: wanted, install_timeout: '1s' });
    const lock = `mkdir -p "$LAB_ROOT/var/lib/reeve/run/k3s"; echo "${process.pid} $(sed 's/.*) //' /proc/${process.pid}/stat | cut -d ' ' -f 20)" >"$LAB_ROOT/var/lib/reeve/run/k3s/installer"`;
    await lt.target.run(lock);
    await expect(installScript.apply!(planned.next!, lt.target)).rejects.toMatchObject({ code: 'installer-running' });
    await lt.target.run(lock.replace('-f 20)', '-f 20)1'));
    expect(await run({ version: wanted })).toMatchObject({ facts: { installed: wanted } });
  });

  it('goes back within a minor, and refuses to go further', async () => {
    await server();
    const { undo } = await run({ version: patch });
    await installScript.undo!(undo as never, lt.target);
    expect(text('usr/local/bin/k3s')).toContain(`'${old}'`);
    expect(text('lab/events').trim().split('\n').at(-1)).toContain(`active\t${old}\tserver`);
    const further = await run({ version: wanted });
    await expect(installScript.undo!(further.undo as never, lt.target)).rejects.toMatchObject({ code: 'cannot-undo' });
  });

  it('goes back until k3s is up: that it was started is not enough', large, async () => {
    await agent();
    const { undo } = await run({ version: patch, start_timeout: '3s' });
    host.setKnob('k3s-start', 'forever');
    await expect(installScript.undo!(undo as never, lt.target)).rejects.toMatchObject({ code: 'start-failed' });
    // As if the start had come some seconds after the files.
    const state = 'run/systemd/k3s-agent.service/state';
    writeFileSync(file(state), text(state).replace(/^(ExecMainStartTimestamp=).*/m, '$1Fri 2100-01-01 00:00:00 UTC'));
    host.setKnob('k3s-start', '0.05');
    await installScript.undo!(undo as never, lt.target);
    expect(await running()).toContain('ActiveState=active');
    expect(text('lab/events').trim().split('\n').at(-1)).toContain(`active\t${old}\tagent`);
  });

  it('downloads the script once a run, or on the target, and checks its sha256', async () => {
    await agent();
    const sha = createHash('sha256')
      .update(await (await fetch(artifacts.installScriptUrl)).text())
      .digest('hex');
    await expect(plan({ version: wanted, checksum: 'f'.repeat(64) })).rejects.toMatchObject({
      code: 'checksum-mismatch',
    });
    const asked = () => artifacts.requests.filter((path) => path === '/install.sh').length;
    const before = asked();
    await plan({ version: wanted, checksum: `sha256:${sha}` });
    expect(asked()).toBe(before);
    const { facts } = await run({ version: wanted, checksum: sha, download: 'target' });
    expect(facts).toMatchObject({ installed: wanted });
    expect(asked()).toBe(before + 1);
  });

  it.each([
    [{ version: wanted }, 'role-needed'],
    [{ version: 'v1.31', role: 'agent' }, 'bad-version'],
  ])('refuses %j on a new host', async (more, code) => {
    await expect(plan(more)).rejects.toMatchObject({ code });
  });

  it('refuses variables that are its own', () => {
    expect(() => args({ version: wanted, install_env: { INSTALL_K3S_EXEC: 'server' } })).toThrow(/exec_args/);
  });
});

describe('version-check', () => {
  const check = (more: Record<string, unknown>) =>
    versionCheck.plan(
      fillArgs(versionCheck, {
        channel_url: artifacts.channelUrl,
        bin_dir: file('usr/local/bin'),
        systemd_dir: file('etc/systemd/system'),
        data_dir: file('var/lib/rancher/k3s'),
        config_dir: file('etc/rancher/k3s'),
        ...more,
      }),
      lt.target,
    );

  it('tells what is installed and what to do', async () => {
    await server();
    expect((await check({ version: wanted })).facts).toEqual({
      installed: old,
      target: wanted,
      wanted,
      upgrade: true,
      fresh: false,
      role: 'server',
      unit: 'k3s',
      active: 'active',
      datastore: 'sqlite',
      hops: [wanted],
      installed_minor: 30,
      target_minor: 31,
      same_minor: false,
    });
    expect(lt.reads.at(-1)).toContain('--version');
    expect((await check({ version: old })).facts).toMatchObject({ upgrade: false, hops: [], same_minor: true });
  });

  it('asks the channel server', async () => {
    expect((await check({ channel: 'v1.30' })).facts).toMatchObject({ target: patch, fresh: true, installed: null });
    expect((await check({})).facts).toMatchObject({ target: wanted });
    await expect(check({ channel: 'v1.99' })).rejects.toMatchObject({ code: 'unknown-channel' });
    await expect(check({ channel_url: 'http://127.0.0.1:1/channels' })).rejects.toMatchObject({
      code: 'channel-server',
      message: expect.stringContaining('http://127.0.0.1:1/channels'),
      hint: expect.stringContaining('an exact version'),
    });
  });

  it('refuses a downgrade and a skipped minor, and takes the next hop when asked to', async () => {
    writeFileSync(file('usr/local/bin/k3s'), artifacts.binary('v1.29.1+k3s1'), { mode: 0o755 });
    await expect(check({ version: wanted })).rejects.toMatchObject({
      code: 'skipped-minor',
      hint: `go one minor at a time: v1.29.1+k3s1 → v1.30.x → ${wanted}`,
    });
    await expect(check({ channel: 'stable' })).rejects.toMatchObject({
      hint: `go one minor at a time: v1.29.1+k3s1 → ${patch} → ${wanted}`,
    });
    expect((await check({ channel: 'stable', newest_hop: true })).facts).toMatchObject({ target: patch, wanted });
    await expect(check({ version: 'v1.28.1+k3s1' })).rejects.toMatchObject({ code: 'downgrade' });
    await expect(check({ version: 'v1.31.5' })).rejects.toMatchObject({ code: 'bad-version' });
  });
});
