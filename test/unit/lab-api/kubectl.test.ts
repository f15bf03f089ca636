import { describe, expect, onTestFinished, test } from 'vitest';
import type { Api, ApiOptions } from '../../lab/api/api.ts';
import type { Seeds } from '../../lab/api/cluster.ts';
import { daemonset, deployment, node, pdb, pod, statefulset } from '../../lab/api/fixtures.ts';
import { type Kubectl, kubectl, kubectlMinor, kubectlMissing } from '../../lab/api/kubectl.ts';
import type { Node, Pod } from '../../lab/api/objects.ts';
import { when } from '../../lab/api/when.ts';
import { needs } from '../../support/needs.ts';
import { lab } from './support.ts';

const missing = kubectlMissing();
const minor = missing ? Number.NaN : kubectlMinor();

async function cluster(seeds: Seeds, options: ApiOptions = {}): Promise<{ api: Api; run: Kubectl['run'] }> {
  const { api } = await lab(seeds, options);
  const tool = kubectl(api.kubeconfig());
  onTestFinished(() => tool[Symbol.dispose]());
  return { api, run: tool.run };
}

/** The columns of kubectl's table, by header. */
function table(text: string): Record<string, string>[] {
  const [header = '', ...rows] = text.trimEnd().split('\n');
  const starts = [...header.matchAll(/\S+( \S+)*/g)].map(({ 0: name, index }) => ({ name, index }));
  const cells = (row: string) =>
    starts.map(({ name, index }, place) => [name, row.slice(index, starts[place + 1]?.index).trim()]);
  return rows.map((row) => Object.fromEntries(cells(row)));
}

const evictions = (api: Api) =>
  api.mutations.filter(({ subresource }) => subresource === 'eviction').map(({ name }) => name);
const unschedulable = (api: Api, name: string) => api.state.get<Node>('nodes', name)?.spec.unschedulable ?? false;

describe('kubectl reads', needs(missing), () => {
  test('get nodes -o wide', async () => {
    const { run } = await cluster([
      node('s1', { server: true, version: 'v1.31.5+k3s1', ip: '10.0.0.1' }),
      node('a1', { unschedulable: true }),
      node('a2', { ready: false }),
    ]);
    const { stdout, code } = await run(['get', 'nodes', '-o', 'wide']);
    expect(code).toBe(0);
    expect(table(stdout)).toMatchObject([
      { NAME: 'a1', STATUS: 'Ready,SchedulingDisabled', ROLES: '<none>' },
      { NAME: 'a2', STATUS: 'NotReady' },
      {
        NAME: 's1',
        STATUS: 'Ready',
        ROLES: 'control-plane,etcd,master',
        VERSION: 'v1.31.5+k3s1',
        'INTERNAL-IP': '10.0.0.1',
      },
    ]);
  });

  test('get pods -A, and all kinds of output', async () => {
    const { run } = await cluster([
      node('a1'),
      pod('x', { node: 'a1', namespace: 'apps' }),
      pod('done', { node: 'a1', phase: 'Succeeded' }),
      pod('sick', { node: 'a1', behaviour: { crashLoops: true } }),
    ]);
    expect(table((await run(['get', 'pods', '-A'])).stdout)).toMatchObject([
      { NAMESPACE: 'apps', NAME: 'x', READY: '1/1', STATUS: 'Running', RESTARTS: '0' },
      { NAMESPACE: 'default', NAME: 'done', READY: '0/1', STATUS: 'Completed' },
      { NAMESPACE: 'default', NAME: 'sick', READY: '0/1', STATUS: 'CrashLoopBackOff', RESTARTS: '5' },
    ]);
    const selected = await run([
      'get',
      'pods',
      '-A',
      '-o',
      'name',
      '--field-selector',
      'status.phase=Running',
      '-l',
      'app=x',
    ]);
    expect(selected.stdout.trim()).toBe('pod/x');
    const json = JSON.parse((await run(['get', 'pod', 'x', '-n', 'apps', '-o', 'json'])).stdout) as Pod;
    expect(json).toMatchObject({ kind: 'Pod', spec: { nodeName: 'a1' } });
    expect((await run(['get', 'pod', 'none'])).stderr).toContain('Error from server (NotFound): pods "none" not found');
  });

  test('version and describe', async () => {
    const { run } = await cluster([node('a1'), pod('x', { node: 'a1' })], { version: 'v1.31.5+k3s1' });
    const version = JSON.parse((await run(['version', '-o', 'json'])).stdout) as {
      serverVersion: { gitVersion: string };
    };
    expect(version.serverVersion.gitVersion).toBe('v1.31.5+k3s1');
    expect((await run(['describe', 'node', 'a1'])).stdout).toMatch(/Non-terminated Pods:\s+\(1 in total\)/);
  });

  // From 1.33 on it posts reviews as protobuf, which the lab does not read.
  test('auth can-i', needs(minor >= 33 && 'a kubectl older than 1.33 is needed'), async () => {
    const { api, run } = await cluster([]);
    expect((await run(['auth', 'can-i', 'create', 'pods/eviction'])).stdout.trim()).toBe('yes');
    api.authorize(({ subresource }) => (subresource === 'eviction' ? 'no' : undefined));
    expect((await run(['auth', 'can-i', 'create', 'pods', '--subresource=eviction'])).stdout).toContain('no');
  });
});

describe('kubectl writes', needs(missing), () => {
  test('cordon and uncordon', async () => {
    const { api, run } = await cluster([node('a1')]);
    expect((await run(['cordon', 'a1'])).stdout).toBe('node/a1 cordoned\n');
    expect(unschedulable(api, 'a1')).toBe(true);
    expect((await run(['cordon', 'a1'])).stdout).toBe('node/a1 already cordoned\n');
    expect((await run(['uncordon', 'a1'])).stdout).toBe('node/a1 uncordoned\n');
    expect(unschedulable(api, 'a1')).toBe(false);
    expect(api.mutations).toHaveLength(2);
  });

  test('create, apply, label, annotate, patch, scale, delete', async () => {
    const { api, run } = await cluster([node('a1'), deployment('web', { node: 'a1' })]);
    const manifest = (value: string, name = 'c') =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: value } });
    const outputs = [
      await run(['create', '-f', '-'], { input: manifest('0', 'made') }),
      await run(['apply', '-f', '-'], { input: manifest('1') }),
      await run(['apply', '-f', '-'], { input: manifest('2') }),
      await run(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: manifest('3') }),
      await run(['label', 'node', 'a1', 'pool=green']),
      await run([
        'patch',
        'node',
        'a1',
        '--type=json',
        '-p',
        '[{"op":"add","path":"/metadata/labels/extra","value":"1"}]',
      ]),
      await run(['scale', 'deployment/web', '--replicas=2']),
      await run(['delete', 'configmap', 'made']),
    ];
    expect(outputs.map(({ stdout, stderr }) => stdout.trim().split(' from ')[0] || stderr)).toEqual([
      'configmap/made created',
      'configmap/c created',
      'configmap/c configured',
      'configmap/c serverside-applied',
      'node/a1 labeled',
      'node/a1 patched',
      'deployment.apps/web scaled',
      'configmap "made" deleted',
    ]);
    expect(api.state.get('configmaps', 'c', 'default')).toMatchObject({ data: { a: '3' } });
    expect(api.state.get('nodes', 'a1')?.metadata).toMatchObject({
      labels: { pool: 'green', extra: '1' },
    });
    await when(api.state, 'scaled', () => api.state.list('pods').length === 2);
  });

  test('delete pod --wait comes back when the pod is gone', async () => {
    const { api, run } = await cluster([node('a1'), pod('x', { node: 'a1' })]);
    expect((await run(['delete', 'pod', 'x', '--wait'])).stdout).toContain('pod "x" deleted');
    expect(api.state.list('pods')).toEqual([]);
  });

  test('wait --for=condition=Ready hears of it, and says so when it does not', async () => {
    const { api, run } = await cluster([node('a1', { ready: false })]);
    const refused = await run(['wait', '--for=condition=Ready', 'node/a1', '--timeout=0s']);
    expect(refused.code).toBe(1);
    api.faults.onRequest = ({ query, path }) => {
      if (path === '/api/v1/nodes' && query.has('watch')) setImmediate(() => api.setNode('a1', { ready: true }));
      return undefined;
    };
    const waited = await run(['wait', '--for=condition=Ready', 'node/a1', '--timeout=30s']);
    expect(waited).toMatchObject({ code: 0, stdout: 'node/a1 condition met\n' });
  });
});

describe('kubectl drain', needs(missing), () => {
  const DRAIN = ['drain', 'a1', '--ignore-daemonsets', '--delete-emptydir-data'];

  test('moves what has an owner, leaves DaemonSets, finished and mirror pods', async () => {
    const { api, run } = await cluster([
      ['a1', 'a2'].map((name) => node(name)),
      deployment('web', { node: 'a1', replicas: 2 }),
      statefulset('db', { node: 'a1' }),
      daemonset('lb', { nodes: ['a1', 'a2'] }),
      pod('static', { node: 'a1', mirror: true }),
      pdb('web', { maxUnavailable: 2 }),
    ]);
    const { code, stdout } = await run(DRAIN);
    expect(stdout).toMatch(/node\/a1 (drained|evicted)/);
    expect(code).toBe(0);
    expect(
      evictions(api)
        .map((name) => name.split('-')[0])
        .sort(),
    ).toEqual(['db', 'web', 'web']);
    const left = api.state.list<Pod>('pods').filter(({ spec }) => spec.nodeName === 'a1');
    expect(left.map(({ metadata }) => metadata.name.split('-')[0]).sort()).toEqual(['lb', 'static']);
    expect(unschedulable(api, 'a1')).toBe(true);
    expect((await run(['uncordon', 'a1'])).code).toBe(0);
  });

  test.each<[string, Seeds, string[], string]>([
    ['a DaemonSet', daemonset('lb', { nodes: ['a1'] }), ['drain', 'a1'], 'cannot delete DaemonSet-managed Pods'],
    [
      'emptyDir',
      deployment('web', { node: 'a1', emptyDir: true }),
      ['drain', 'a1'],
      'use --delete-emptydir-data to override',
    ],
    ['a bare pod', [pod('bare', { node: 'a1' })], DRAIN, 'use --force to override'],
  ])('refuses %s and evicts nothing', async (_name, seeds, args, message) => {
    const { api, run } = await cluster([node('a1'), node('a2'), seeds, deployment('plain', { node: 'a1' })]);
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(evictions(api)).toEqual([]);
  });

  test('--force takes the bare pod as well', async () => {
    const { api, run } = await cluster([node('a1'), pod('bare', { node: 'a1' })]);
    expect((await run([...DRAIN, '--force'])).code).toBe(0);
    expect(api.state.list('pods')).toEqual([]);
  });

  test('a budget makes it try until its timeout', async () => {
    const { api, run } = await cluster([
      node('a1'),
      node('a2'),
      statefulset('db', { node: 'a1' }),
      pdb('db', { maxUnavailable: 0 }),
    ]);
    const { code, stderr } = await run([...DRAIN, '--timeout=1s']);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    expect(stderr).toContain('global timeout reached: 1s');
    expect(evictions(api)).toEqual([]);
    expect(api.requests).toContainEqual(expect.objectContaining({ subresource: 'eviction', code: 429 }));
  });

  test('a budget that recovers lets it finish at the second try', async () => {
    const { api, run } = await cluster([
      node('a1'),
      node('a2'),
      statefulset('db', { nodes: ['a1', 'a1'] }),
      pdb('db', { minAvailable: 1 }),
    ]);
    expect((await run(DRAIN)).code).toBe(0);
    expect(evictions(api).sort()).toEqual(['db-0', 'db-1']);
    await when(
      api.state,
      'both moved',
      () => api.state.list<Pod>('pods').filter(({ spec }) => spec.nodeName === 'a2').length === 2,
    );
  });

  test('two budgets on a pod fail it at once', async () => {
    const budgets = ['one', 'two'].map((name) => pdb(name, { matchLabels: { app: 'db' } }));
    const { run } = await cluster([node('a1'), statefulset('db', { node: 'a1' }), budgets]);
    const { code, stderr } = await run(DRAIN);
    expect(code).toBe(1);
    expect(stderr).toContain('This pod has more than one PodDisruptionBudget');
  });

  // kubectl 1.20 looks for the dry-run support of pods under an empty kind and gives up.
  test('--dry-run=server writes nothing', needs(minor <= 20 && 'a kubectl newer than 1.20 is needed'), async () => {
    const { api, run } = await cluster([node('a1'), deployment('web', { node: 'a1' })]);
    const { code, stdout } = await run([...DRAIN, '--dry-run=server']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/evicting pod default\/web-\S+ \(server dry run\)/);
    expect(api.writeLog.length).toBeGreaterThan(0);
    expect(api.mutations).toEqual([]);
  });

  test.each<[string, ApiOptions, string[]]>([
    ['--disable-eviction', {}, ['--disable-eviction']],
    ['a server without evictions', { eviction: 'none' }, []],
  ])('deletes plainly with %s, budgets or not', async (_name, options, flags) => {
    const seeds = [node('a1'), node('a2'), statefulset('db', { node: 'a1' }), pdb('db', { maxUnavailable: 0 })];
    const { api, run } = await cluster(seeds, options);
    expect((await run([...DRAIN, ...flags])).code).toBe(0);
    expect(api.mutations.map(({ verb, name }) => `${verb} ${name}`)).toEqual(['patch a1', 'delete db-0']);
  });

  test('evicts through policy/v1beta1 where there is no other', async () => {
    const seeds = [node('a1'), node('a2'), statefulset('db', { node: 'a1' })];
    const { api, run } = await cluster(seeds, { eviction: 'v1beta1' });
    expect((await run(DRAIN)).code).toBe(0);
    expect(evictions(api)).toEqual(['db-0']);
  });

  test('survives a Retry-After of a stale budget', async () => {
    const { api, run } = await cluster([node('a1'), node('a2'), statefulset('db', { node: 'a1' })]);
    api.faults.failNext(429, { retryAfterSeconds: 1, match: ({ path }) => path.endsWith('/eviction') });
    expect((await run(DRAIN)).code).toBe(0);
    expect(evictions(api)).toEqual(['db-0']);
  });
});
