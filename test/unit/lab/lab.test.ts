import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { conditionOf, type Node } from '../../lab/api/objects.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { missing, missingSshd } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { install as installOn, until } from './helpers.ts';
import { runOnce } from './ssh-client.ts';

const old = 'v1.30.4+k3s1';
const wanted = 'v1.31.5+k3s1';

describe('a lab', () => {
  let lab: Lab;
  const on = (host: string, command: string) => runOnce(lab.hosts, lab.hosts.get(host), command);
  const node = (name: string) => lab.api.state.get<Node>('nodes', name);
  const version = (name: string) => node(name)?.status?.nodeInfo?.kubeletVersion;
  const ready = (name: string) => conditionOf(node(name)!, 'Ready')?.status;
  const install = (host: string, environment: string, args = '') =>
    installOn(lab.hosts, lab.hosts.get(host), lab.installScriptUrl, environment, args);

  beforeAll(async () => {
    lab = await startLab({ startMs: 20, rebootMs: 20 });
  });
  afterAll(() => lab.stop());

  it('has its nodes, ready, at the installed version, with the units that made them so', async () => {
    for (const name of ['server-1', 'agent-1', 'agent-2']) expect([ready(name), version(name)]).toEqual(['True', old]);
    expect(conditionOf(node('server-1')!, 'EtcdIsVoter')?.status).toBe('True');
    expect((await on('agent-1', 'systemctl is-active k3s-agent; systemctl is-enabled k3s-agent')).out).toBe(
      'active\nenabled',
    );
    expect((await on('server-1', 'systemctl cat k3s')).out).toContain("\t'--disable' \\\n\t'traefik' \\\n");
    expect((await on('agent-1', 'cat "$LAB_ROOT/etc/systemd/system/k3s-agent.service.env"')).out).toMatch(
      /^K3S_TOKEN=.*\nK3S_URL=.https:\/\/127\.0\.0\.1:\d+.$/,
    );
  });

  it('describes itself in an inventory', () => {
    const inventory = parse(readFileSync(lab.inventoryFile, 'utf8'));
    expect(inventory.reeve).toBe(1);
    expect(Object.keys(inventory.all.children.agents.hosts)).toEqual(['agent-1', 'agent-2']);
    const server = inventory.all.children.servers.hosts['server-1'];
    expect(server).toMatchObject({ transport: 'ssh', address: '127.0.0.1', ssh_port: lab.hosts.get('server-1').port });
    expect(existsSync(join(server.k3s_config_dir, 'k3s.yaml'))).toBe(true);
    expect(existsSync(join(server.k3s_bin_dir, 'k3s'))).toBe(true);
    expect(existsSync(server.ssh_private_key_file) && existsSync(server.ssh_known_hosts_file)).toBe(true);
  });

  it('lets the real kubectl in, from here and from the server', needs(missing('kubectl')), async () => {
    const argv = ['--kubeconfig', lab.kubeconfigFile, 'get', 'nodes', '-o', 'name'];
    const { stdout } = await promisify(execFile)('kubectl', argv);
    expect(stdout).toBe('node/agent-1\nnode/agent-2\nnode/server-1\n');
    expect((await on('server-1', 'k3s kubectl get nodes -o name')).out).toBe(stdout.trim());
  });

  it('has a fingerprint that reading leaves alone and every write changes', async () => {
    const before = lab.fingerprint();
    await on('server-1', 'cat "$LAB_ROOT/etc/rancher/k3s/config.yaml"; touch "$TMPDIR/scratch"; systemctl status k3s');
    await ask(lab, `${lab.api.url}/api/v1/nodes`);
    expect(lab.fingerprint()).toBe(before);
    const file = join(lab.hosts.get('agent-1').root, 'etc/hostname');
    chmodSync(file, 0o600);
    const after = lab.fingerprint();
    expect(after).not.toBe(before);
    writeFileSync(file, 'other\n');
    const last = lab.fingerprint();
    expect(last).not.toBe(after);
    const path = '/api/v1/namespaces/default/pods?dryRun=All';
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { containers: [{ name: 'x', image: 'x' }] },
    };
    expect(await ask(lab, lab.api.url + path, { method: 'POST', body: JSON.stringify(pod) })).toBe(201);
    expect(lab.fingerprint()).toBe(last);
    expect(await ask(lab, lab.api.url + path.replace(/\?.*/, ''), { method: 'POST', body: JSON.stringify(pod) })).toBe(
      201,
    );
    expect(lab.fingerprint()).not.toBe(last);
  });

  it('tells of snapshots by ETCDSnapshotFile objects', async () => {
    const { err } = await on('server-1', 'k3s etcd-snapshot save --name before');
    const [, name] = /Snapshot (before-server-1-\d+) saved\./.exec(err) ?? [];
    const files = () => lab.api.state.list('etcdsnapshotfiles');
    await until(() => files().length === 1);
    expect(files()[0]).toMatchObject({
      spec: { snapshotName: name, nodeName: 'server-1' },
      status: { readyToUse: true, size: expect.stringMatching(/^[1-9]/) },
    });
    await on('server-1', `k3s etcd-snapshot delete ${name}`);
    await until(() => files().length === 0);
  });

  it('takes the API away while its server restarts, and brings it back as what was installed', async () => {
    const server = lab.hosts.get('server-1');
    server.setKnob('k3s-start', 'forever');
    const done = await install(
      'server-1',
      `INSTALL_K3S_VERSION=${wanted} INSTALL_K3S_SKIP_START=true K3S_TOKEN='K10lab0000::server:lab-cluster-token'`,
      'server --cluster-init --disable traefik',
    );
    expect(done.code).toBe(0);
    expect([await ask(lab, `${lab.api.url}/readyz`), version('server-1')]).toEqual([200, old]);
    await on('server-1', 'systemctl restart --no-block k3s');
    await until(async () => (await ask(lab, `${lab.api.url}/readyz`)) === 'ECONNREFUSED');
    server.setKnob('k3s-start', '0.02');
    // A start that hangs goes on hanging; another restart ends it.
    await on('server-1', 'systemctl restart --no-block k3s');
    await until(async () => (await ask(lab, `${lab.api.url}/readyz`)) === 200);
    await lab.settled();
    expect([lab.api.server.version, version('server-1'), version('agent-1')]).toEqual([wanted, wanted, old]);
  });

  it('keeps the API away for an outage, whatever its unit does', async () => {
    let end = () => {};
    const over = lab.apiOutage(
      new Promise<void>((resolve) => {
        end = resolve;
      }),
    );
    await until(async () => (await ask(lab, `${lab.api.url}/readyz`)) === 'ECONNREFUSED');
    await on('server-1', 'systemctl restart k3s');
    await lab.settled();
    expect(await ask(lab, `${lab.api.url}/readyz`)).toBe('ECONNREFUSED');
    end();
    await over;
    expect([await ask(lab, `${lab.api.url}/readyz`), lab.api.server.version]).toEqual([200, wanted]);
    await until(() => ready('server-1') === 'True');
  });

  it('renews the lease of a node while its unit is active, and loses the node after it stopped', async () => {
    const renewed = () =>
      (lab.api.state.get('leases', 'agent-2', 'kube-node-lease')?.spec as { renewTime?: string })?.renewTime;
    const first = renewed();
    await until(() => renewed() !== first);
    await on('agent-2', 'systemctl stop k3s-agent');
    await until(() => ready('agent-2') === 'Unknown');
    await on('agent-2', 'systemctl start k3s-agent');
    await until(() => ready('agent-2') === 'True');
  });

  it('keeps out an agent with another token', async () => {
    const failed = await install(
      'agent-2',
      `INSTALL_K3S_SKIP_DOWNLOAD=true K3S_URL=${lab.api.url} K3S_TOKEN=wrong`,
      '',
    );
    expect(failed.code).toBe(1);
    expect((await on('agent-2', 'systemctl is-active k3s-agent')).out).toBe('activating');
    expect((await on('agent-2', 'journalctl -u k3s-agent -n 30 --no-pager')).out).toContain(
      'token CA hash does not match',
    );
    await until(() => ready('agent-2') === 'Unknown');
    await on(
      'agent-2',
      `printf 'K3S_TOKEN=K10lab0000::server:lab-cluster-token\\nK3S_URL=${lab.api.url}\\n' >"$LAB_ROOT/etc/systemd/system/k3s-agent.service.env"`,
    );
    await until(() => ready('agent-2') === 'True');
  });

  it('follows a reboot', async () => {
    const host = lab.hosts.get('server-1');
    const rebooting = host.reboot(50);
    await until(async () => (await ask(lab, `${lab.api.url}/readyz`)) === 'ECONNREFUSED');
    await rebooting;
    await until(async () => (await ask(lab, `${lab.api.url}/readyz`)) === 200);
    await until(() => ready('server-1') === 'True');
  });
});

describe('labs of other shapes', () => {
  it('has a SQLite cluster without etcd', async () => {
    await using lab = await startLab({ agents: 0, datastore: 'sqlite', startMs: 1 });
    const server = lab.api.state.get<Node>('nodes', 'server-1')!;
    expect(conditionOf(server, 'EtcdIsVoter')).toBeUndefined();
    const { err } = await runOnce(lab.hosts, lab.hosts.get('server-1'), 'k3s etcd-snapshot save');
    expect(err).toContain('etcd datastore disabled');
  });

  it('gives every server an API of its own', async () => {
    await using lab = await startLab({ servers: 3, agents: 0, startMs: 1 });
    const urls = lab.hosts.hosts.map(
      ({ root }) => parse(readFileSync(join(root, 'etc/rancher/k3s/k3s.yaml'), 'utf8')).clusters[0].cluster.server,
    );
    expect(new Set(urls).size).toBe(3);
    await runOnce(lab.hosts, lab.hosts.get('server-2'), 'systemctl stop k3s');
    await until(async () => (await ask(lab, `${urls[1]}/readyz`)) === 'ECONNREFUSED');
    expect(await ask(lab, `${urls[0]}/readyz`)).toBe(200);
    expect(await ask(lab, `${urls[2]}/readyz`)).toBe(200);
  });

  it('puts the cluster into containers on Proxmox nodes', async () => {
    await using lab = await startLab({ agents: 1, proxmox: { nodes: 2, containers: 'all' }, startMs: 1 });
    const { all } = parse(readFileSync(lab.inventoryFile, 'utf8'));
    expect(all.children.servers.hosts['server-1']).toMatchObject({
      transport: 'pct',
      address: '127.0.0.1',
      pct_node: 'pve-1',
      vmid: 101,
    });
    expect(all.children.agents.hosts['agent-1']).toMatchObject({ transport: 'pct', pct_node: 'pve-2', vmid: 102 });
    const through = await runOnce(lab.hosts, lab.hosts.get('pve-2'), 'pct exec 102 -- systemctl is-active k3s-agent');
    expect(through.out).toBe('active');
    expect(conditionOf(lab.api.state.get<Node>('nodes', 'agent-1')!, 'Ready')?.status).toBe('True');
  });

  it('runs behind a real sshd', needs(missingSshd()), async () => {
    await using lab = await startLab({ agents: 1, backend: 'openssh', startMs: 1 });
    expect((await runOnce(lab.hosts, lab.hosts.get('agent-1'), 'systemctl is-active k3s-agent')).out).toBe('active');
  });
});

interface Ask {
  method?: string;
  body?: string;
}

/** Status of one request with the cluster's own credentials, or the error's code when there is no answer. */
function ask(lab: Lab, url: string, { method = 'GET', body }: Ask = {}): Promise<number | string> {
  const { ca, clientCert: cert, clientKey: key } = lab.api;
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const asked = request(url, { method, headers, ca, cert, key, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve('cut'));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(body);
  });
}
