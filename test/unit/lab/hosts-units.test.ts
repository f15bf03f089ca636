import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ArtifactServer, startArtifacts } from '../../lab/hosts/artifact-server.ts';
import { findProgram } from '../../lab/hosts/shells.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts, ShellName, UnitEvent } from '../../lab/hosts/types.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { install as installOn, until } from './helpers.ts';
import { runOnce } from './ssh-client.ts';

const old = 'v1.30.4+k3s1';
const wanted = 'v1.31.5+k3s1';

const programs = new Set<string>();
for (const shell of ['sh', 'dash', 'bash', 'busybox'] as ShellName[]) {
  const program = findProgram(shell);
  if (program && programs.has(realpathSync(program))) continue;
  if (program) programs.add(realpathSync(program));
  describe(`the stand-ins on ${shell}`, needs(missing(shell)), () => suite(shell));
}

function suite(shell: ShellName): void {
  let lab: LabHosts;
  let artifacts: ArtifactServer;
  let server: LabHost;
  let agent: LabHost;
  const units: UnitEvent[] = [];
  const on = (host: LabHost, command: string) => runOnce(lab, host, command);
  const install = (host: LabHost, environment: string, args = '') =>
    installOn(lab, host, artifacts.installScriptUrl, environment, args);
  const states = (host: LabHost) =>
    units.filter((event) => event.host === host.name).map((event) => `${event.unit} ${event.state} ${event.version}`);

  beforeAll(async () => {
    artifacts = await startArtifacts({ versions: [old, wanted, 'v1.31.2+k3s1'] });
    lab = await startHosts({
      hosts: [
        { name: 'server-1', shell },
        // One host downloads with what the machine has, the other with the lab's own curl.
        { name: 'agent-1', shell, ownCurl: true },
      ],
      onUnit: (event) => units.push(event),
      rebootMs: 20,
    });
    server = lab.get('server-1');
    agent = lab.get('agent-1');
    for (const host of lab.hosts) host.setKnob('k3s-start', '0.05');
  });
  beforeEach(() => units.splice(0));
  afterAll(async () => {
    await lab.stop();
    await artifacts.stop();
  });

  it('installs a server: binary, unit, env file, links, and starts it', async () => {
    const result = await install(
      server,
      `INSTALL_K3S_VERSION=${old} K3S_TOKEN=sec\\'ret FOO=lost`,
      "server --disable traefik --node-label 'a=b c'",
    );
    expect(result.err).toMatch(/^Created symlink .* → .*k3s\.service\.$/);
    expect(result.code).toBe(0);
    expect(result.out).toMatch(/^\[INFO\] {2}Using v1\.30\.4\+k3s1 as release\n\[INFO\] {2}Downloading hash http/);
    expect(result.out).toMatch(/\[INFO\] {2}systemd: Starting k3s$/);
    const unit = readFileSync(join(server.root, 'etc/systemd/system/k3s.service'), 'utf8');
    expect(unit).toContain(
      `ExecStart=${server.root}/usr/local/bin/k3s \\\n    server \\\n\t'--disable' \\\n\t'traefik' \\\n\t'--node-label' \\\n\t'a=b c' \\\n\n`,
    );
    const env = join(server.root, 'etc/systemd/system/k3s.service.env');
    expect(readFileSync(env, 'utf8')).toMatch(/^K3S_TOKEN=.sec.*ret.\n$/);
    expect(statSync(env).mode & 0o777).toBe(0o600);
    expect((await on(server, 'k3s --version')).out).toMatch(
      /^k3s version v1\.30\.4\+k3s1 \([0-9a-f]{8}\)\ngo version go/,
    );
    expect((await on(server, 'systemctl is-active k3s; systemctl is-enabled k3s')).out).toBe('active\nenabled');
    expect(existsSync(join(server.root, 'usr/local/bin/k3s-uninstall.sh'))).toBe(true);
    expect(states(server)).toEqual([`k3s.service activating ${old}`, `k3s.service active ${old}`]);
    expect(units[0]?.role).toBe('server');
  });

  it('gives the process the arguments of the unit and the variables of the env file', async () => {
    const { out } = await on(server, 'systemctl show -p MainPID --value k3s');
    expect(server.processes()).toContain(Number(out));
    const environment = readFileSync(`/proc/${out}/environ`, 'utf8').split('\0');
    expect(environment).toContain("K3S_TOKEN=sec'ret");
    expect(environment.some((entry) => entry.startsWith('FOO='))).toBe(false);
  });

  it('shows what systemctl show shows', async () => {
    const names = 'ActiveState,SubState,LoadState,UnitFileState,NRestarts,ExecMainStartTimestamp,NeedDaemonReload';
    const { out } = await on(server, `systemctl show k3s.service --property=${names}`);
    expect(out).toMatch(
      /^ActiveState=active\nSubState=running\nLoadState=loaded\nUnitFileState=enabled\nNRestarts=0\nExecMainStartTimestamp=\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+\nNeedDaemonReload=no$/,
    );
    expect((await on(server, 'systemctl show nope -p LoadState -p ActiveState')).out).toBe(
      'LoadState=not-found\nActiveState=inactive',
    );
    expect(await on(server, 'systemctl is-active nope')).toMatchObject({ out: 'inactive', code: 3 });
    expect(await on(server, 'systemctl start nope')).toMatchObject({
      code: 5,
      err: 'Failed to start nope.service: Unit nope.service not found.',
    });
    expect(await on(server, 'systemctl status nope')).toMatchObject({ code: 4 });
    expect((await on(server, 'systemctl cat k3s')).out).toMatch(/^# \/.*k3s\.service\n\[Unit\]/);
    expect((await on(server, 'systemctl status k3s')).out).toContain('Active: active (running)');
    expect((await on(server, 'journalctl -u k3s -n 1 --no-pager')).out).toMatch(
      /^\w{3} \d\d \d\d:\d\d:\d\d server-1 systemd\[1\]: Started k3s\.service - Lightweight Kubernetes\.$/,
    );
    expect((await on(server, 'journalctl -u k3s --no-pager')).out).toContain(`Starting k3s ${old}`);
  });

  it('skips the start when nothing changed', async () => {
    const again = await install(
      server,
      `INSTALL_K3S_VERSION=${old} K3S_TOKEN=sec\\'ret`,
      "server --disable traefik --node-label 'a=b c'",
    );
    expect(again.out).toContain('Skipping binary downloaded, installed k3s matches hash');
    expect(again.out).toMatch(/No change detected so skipping service start$/);
    expect(states(server)).toEqual([]);
  });

  it('loses what is left out, replaces the binary under SKIP_START, and restarts without blocking', async () => {
    const result = await install(server, 'INSTALL_K3S_CHANNEL=v1.31 INSTALL_K3S_SKIP_START=true');
    expect(result.out).toContain('Finding release for channel v1.31');
    expect(result.out).toContain(`Using ${wanted} as release`);
    expect(result.out).not.toContain('systemd: Starting');
    const unit = readFileSync(join(server.root, 'etc/systemd/system/k3s.service'), 'utf8');
    expect(unit).toContain('    server \\\n\n');
    expect(readFileSync(join(server.root, 'etc/systemd/system/k3s.service.env'), 'utf8')).toBe('');
    expect((await on(server, 'k3s --version')).out).toContain(wanted);
    expect(states(server)).toEqual([]);
    await on(server, 'systemctl restart --no-block k3s');
    await until(() => states(server).includes(`k3s.service active ${wanted}`));
    expect(states(server)).toEqual([
      `k3s.service inactive ${old}`,
      `k3s.service activating ${wanted}`,
      `k3s.service active ${wanted}`,
    ]);
  });

  it('stays activating for ever, or fails, when told to', async () => {
    server.setKnob('k3s-start', 'forever');
    await on(server, 'systemctl restart --no-block k3s');
    await until(() => states(server).includes(`k3s.service activating ${wanted}`));
    expect(await on(server, 'systemctl is-active k3s')).toMatchObject({ out: 'activating', code: 3 });
    server.setKnob('k3s-start', 'fail');
    const failed = await on(server, 'systemctl restart k3s');
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.err).toMatch(/^Job for k3s\.service failed because the control process exited with error code\./);
    expect(states(server)).toContain(`k3s.service failed ${wanted}`);
    expect((await on(server, 'journalctl -u k3s -o cat')).out).toContain('failed to start networking');
    server.setKnob('k3s-start', '0.01');
    // Restart=always: it gets up by itself once the reason is gone.
    await until(() => units.at(-1)?.state === 'active');
    expect(Number((await on(server, 'systemctl show k3s -p NRestarts --value')).out)).toBeGreaterThan(0);
  });

  if (shell === 'busybox')
    it('keeps the applets that have no stand-in', async () => {
      const names = async (program: string) => {
        const script = `list=$(${program} --list); PATH=/nowhere; for i in $list; do command -v $i; done`;
        return (await on(server, `${program} sh -c '${script}'`)).out.split('\n');
      };
      const original = await names(findProgram('busybox') ?? '');
      const copied = await names('$LAB_ROOT/lab/bin/busybox');
      const gone = ['cat', 'halt', 'hostname', 'poweroff', 'reboot', 'su'];
      expect(original.filter((name) => !copied.includes(name) && !gone.includes(name))).toEqual([]);
      expect(copied.filter((name) => gone.includes(name))).toEqual([]);
    });

  it('comes back when its process is killed, and stays down when stopped', async () => {
    await on(server, 'kill -9 "$(systemctl show k3s -p MainPID --value)"');
    await until(() => states(server).at(-1) === `k3s.service active ${wanted}`);
    expect(states(server)).toContain(`k3s.service failed ${wanted}`);
    expect(await on(server, 'systemctl stop k3s; systemctl is-active k3s')).toMatchObject({ out: 'inactive', code: 3 });
    expect(states(server).at(-1)).toBe(`k3s.service inactive ${wanted}`);
    expect(await on(server, 'systemctl start k3s; systemctl is-active k3s')).toMatchObject({ out: 'active', code: 0 });
  });

  it('makes a server of an agent when K3S_URL is missing, and an agent when it is there', async () => {
    const url = 'K3S_URL=https://127.0.0.1:6443';
    expect((await install(agent, `INSTALL_K3S_VERSION=${old} ${url}`)).err).toContain(
      "Defaulted k3s exec command to 'agent' because K3S_URL is defined",
    );
    expect((await install(agent, 'INSTALL_K3S_VERSION=v1 K3S_URL=http://x K3S_TOKEN=t')).err).toMatch(
      /^\[ERROR\] {2}Only https/,
    );
    expect((await install(agent, `INSTALL_K3S_VERSION=${old} ${url} K3S_TOKEN=t`)).code).toBe(0);
    expect(states(agent)).toEqual([`k3s-agent.service activating ${old}`, `k3s-agent.service active ${old}`]);
    await install(agent, `INSTALL_K3S_VERSION=${old} INSTALL_K3S_SKIP_START=true`);
    expect((await on(agent, 'systemctl is-enabled k3s k3s-agent')).out).toBe('enabled\nenabled');
  });

  it('refuses a version that is not there and a binary with another hash', async () => {
    const before = (await on(agent, 'sha256sum "$LAB_ROOT/usr/local/bin/k3s"')).out;
    expect(await install(agent, 'INSTALL_K3S_VERSION=v1.99.0+k3s1')).toMatchObject({
      code: 1,
      err: '[ERROR]  Download failed',
    });
    agent.setKnob('install', 'corrupt');
    expect((await install(agent, `INSTALL_K3S_VERSION=${wanted}`)).err).toMatch(
      /^\[ERROR\] {2}Download sha256 does not match/,
    );
    agent.setKnob('install', undefined);
    expect((await on(agent, 'sha256sum "$LAB_ROOT/usr/local/bin/k3s"')).out).toBe(before);
  });

  it('finds and downloads a channel with wget too', needs(missing('wget')), async () => {
    agent.setKnob('downloader', 'wget');
    const result = await install(agent, 'INSTALL_K3S_CHANNEL=v1.31 INSTALL_K3S_SKIP_ENABLE=true');
    agent.setKnob('downloader', undefined);
    expect(result.err).toBe('');
    expect((await on(agent, 'k3s --version')).out).toContain(wanted);
  });

  it('writes nowhere but in its host', async () => {
    expect((await install(agent, `INSTALL_K3S_BIN_DIR=${lab.dir}/elsewhere`)).err).toContain('is outside of');
    expect((await install(agent, '-i')).err).toContain('LAB_ROOT must name the host');
    // In a clean environment the folder of the binary says which host it is.
    const clean = await install(
      agent,
      `-i INSTALL_K3S_BIN_DIR=${agent.root}/usr/local/bin INSTALL_K3S_VERSION=${wanted} INSTALL_K3S_SKIP_START=true`,
    );
    expect(clean).toMatchObject({ code: 0 });
    expect(clean.out).toContain(`systemd: Creating service file ${agent.root}/etc/systemd/system/k3s.service`);
  });

  it('saves, lists, deletes and prunes snapshots of etcd, and has none with SQLite', async () => {
    expect(await on(server, 'k3s etcd-snapshot save --name x')).toMatchObject({ code: 1 });
    expect((await on(server, 'k3s etcd-snapshot save --name x')).err).toContain('etcd datastore disabled');
    mkdirSync(join(server.root, 'var/lib/rancher/k3s/server/db/etcd'), { recursive: true });
    const saved = await on(server, 'k3s etcd-snapshot save --name pre-upgrade');
    const [, name] = /Snapshot (pre-upgrade-server-1-\d+) saved\./.exec(saved.err) ?? [];
    expect(name).toBeDefined();
    const list = (await on(server, 'k3s etcd-snapshot ls')).out.split('\n');
    expect(list[0]).toMatch(/^Name +Location +Size +Created$/);
    expect(list[1]).toMatch(new RegExp(`^${name} +file://${server.root}/.*/${name} +[1-9]\\d+ +\\d{4}-.*Z$`));
    expect((await on(server, `k3s etcd-snapshot delete ${name}`)).err).toContain(`Snapshot ${name} deleted.`);
    expect((await on(server, 'k3s etcd-snapshot ls')).out.split('\n')).toHaveLength(1);
    await on(server, 'systemctl stop k3s');
    expect((await on(server, 'k3s etcd-snapshot save')).err).toContain('connection refused');
    await on(server, 'systemctl start k3s');
  });

  it('restores a snapshot only while stopped, and only one of its own version or older', async () => {
    const folder = join(server.root, 'var/lib/rancher/k3s/server/db/snapshots');
    writeFileSync(join(folder, 'older'), `version=${old}\n`);
    writeFileSync(join(folder, 'newer'), 'version=v1.32.0+k3s1\n');
    const restore = (file: string) =>
      on(server, `k3s server --cluster-reset --cluster-reset-restore-path=${join(folder, file)}`);
    expect((await restore('older')).err).toContain('still running');
    await on(server, 'systemctl stop k3s');
    expect(await restore('newer')).toMatchObject({ code: 1 });
    expect(await restore('gone')).toMatchObject({ code: 1 });
    const good = await restore('older');
    expect(good.code).toBe(0);
    expect(good.err).toContain('Managed etcd cluster membership has been reset');
  });

  it('starts the enabled units after a reboot', async () => {
    await on(server, 'systemctl start k3s');
    units.splice(0);
    await server.reboot();
    await until(() => states(server).at(-1) === `k3s.service active ${wanted}`);
  });

  it('uses the unit that was loaded until daemon-reload', async () => {
    const file = join(server.root, 'etc/systemd/system/plain.service');
    writeFileSync(
      file,
      '[Service]\nType=simple\nEnvironment="WHO=first one"\nExecStart=/bin/sh -c \'echo "$WHO"; exec sleep 1000\'\n',
    );
    await on(server, 'systemctl start plain');
    writeFileSync(file, readFileSync(file, 'utf8').replace('first', 'second'));
    expect((await on(server, 'systemctl show plain -p NeedDaemonReload --value')).out).toBe('yes');
    expect((await on(server, 'systemctl restart plain')).err).toContain(
      "Run 'systemctl daemon-reload' to reload units.",
    );
    await on(server, 'systemctl daemon-reload && systemctl restart plain');
    await until(async () => (await on(server, 'journalctl -u plain -o cat')).out.includes('second one'));
    const lines = (await on(server, 'journalctl -u plain -o cat')).out
      .split('\n')
      .filter((line) => line.endsWith(' one'));
    expect(lines).toEqual(['first one', 'first one', 'second one']);
    await on(server, 'systemctl stop plain');
  });
}
