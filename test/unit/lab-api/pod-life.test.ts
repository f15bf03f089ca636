import { describe, expect, test } from 'vitest';
import type { Api } from '../../lab/api/api.ts';
import type { Client } from '../../lab/api/client.ts';
import { daemonset, deployment, job, node, pod, pvc, statefulset } from '../../lab/api/fixtures.ts';
import { conditionOf, isReady, type KubeObject, type Pod, type Workload } from '../../lab/api/objects.ts';
import { when } from '../../lab/api/when.ts';
import { eviction, lab, podPath } from './support.ts';

const pods = (api: Api) => api.state.list<Pod>('pods');
const readyPods = (api: Api) => pods(api).filter((one) => isReady(one) && !one.metadata.deletionTimestamp);
const evict = (client: Client, name: string) => client.send('POST', `${podPath(name)}/eviction`, eviction(name));

describe('what follows an eviction', () => {
  test('a bare pod is gone for good', async () => {
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1' })]);
    await evict(client, 'x');
    await when(api.state, 'gone', () => pods(api).length === 0);
  });

  test('a Deployment gets a pod of another name on another node', async () => {
    const { api, client } = await lab([
      node('a1', { unschedulable: true }),
      node('a2'),
      deployment('web', { node: 'a1' }),
    ]);
    const [old] = pods(api);
    await evict(client, old!.metadata.name);
    await when(api.state, 'replaced', () => readyPods(api).length === 1 && pods(api).length === 1);
    const [fresh] = pods(api);
    expect(fresh!.metadata.name).not.toBe(old!.metadata.name);
    expect(fresh!.spec.nodeName).toBe('a2');
    expect(fresh!.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'ReplicaSet', controller: true });
  });

  test('a StatefulSet gets the same name again, with another uid, when the old pod is gone', async () => {
    const { api, client } = await lab([
      node('a1', { unschedulable: true }),
      node('a2'),
      statefulset('db', { node: 'a1' }),
    ]);
    const old = api.state.get<Pod>('pods', 'db-0', 'default')!;
    await evict(client, 'db-0');
    expect(pods(api)).toHaveLength(1);
    await when(api.state, 'replaced', () => readyPods(api).some(({ metadata }) => metadata.uid !== old.metadata.uid));
    expect(pods(api)).toMatchObject([{ metadata: { name: 'db-0' }, spec: { nodeName: 'a2' } }]);
  });

  test('a DaemonSet puts its pod back on the very node, cordoned or not', async () => {
    const { api, client } = await lab([
      node('a1', { unschedulable: true }),
      node('a2'),
      daemonset('lb', { nodes: ['a1', 'a2'] }),
    ]);
    const old = pods(api).find(({ spec }) => spec.nodeName === 'a1')!;
    await evict(client, old.metadata.name);
    await when(api.state, 'back', () =>
      readyPods(api).some(({ metadata, spec }) => spec.nodeName === 'a1' && metadata.uid !== old.metadata.uid),
    );
    expect(pods(api)).toHaveLength(2);
  });

  test('a Job starts again', async () => {
    const { api, client } = await lab([
      node('a1', { unschedulable: true }),
      node('a2'),
      job('backup', { node: 'a1', behaviour: { runsFor: 3000 } }),
    ]);
    await evict(client, pods(api)[0]!.metadata.name);
    await when(api.state, 'again', () => readyPods(api).some(({ spec }) => spec.nodeName === 'a2'));
  });
});

describe('scheduling', () => {
  const fresh = (name: string, options = {}) => deployment(name, { ...options, replicas: 1 });
  const pendingReason = (api: Api) => conditionOf(pods(api)[0]!, 'PodScheduled')?.message;

  test.each<[string, KubeObject[], object, string]>([
    ['cordoned', [node('a1', { unschedulable: true })], {}, '0/1 nodes are available: 1 node(s) were unschedulable.'],
    ['too small', [node('a1', { cpu: '1' })], { cpu: '1500m' }, '0/1 nodes are available: 1 Insufficient cpu.'],
    ['full', [node('a1', { pods: 0 })], {}, '0/1 nodes are available: 1 Too many pods.'],
    [
      'tainted',
      [node('a1', { taints: [{ key: 'k', effect: 'NoSchedule' }] })],
      {},
      '0/1 nodes are available: 1 node(s) had untolerated taint {k: }.',
    ],
    [
      'not selected',
      [node('a1')],
      { nodeSelector: { disk: 'ssd' } },
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
  ])('a pod stays Pending where the node is %s', async (_name, nodes, options, message) => {
    const { api } = await lab([nodes, fresh('web', options)]);
    await when(api.state, 'refused', () => pendingReason(api) !== undefined);
    expect(pendingReason(api)).toBe(message);
    expect(pods(api)[0]!.status?.phase).toBe('Pending');
  });

  test('a pod with a local volume waits for the node that has it', async () => {
    const { api, client } = await lab([
      node('a1'),
      node('a2'),
      pvc('data', { node: 'a1' }),
      statefulset('db', { node: 'a1', claim: 'data' }),
    ]);
    api.setNode('a1', { unschedulable: true });
    await evict(client, 'db-0');
    await when(api.state, 'stuck', () => conditionOf(pods(api)[0] ?? pod('x'), 'PodScheduled')?.status === 'False');
    expect(pendingReason(api)).toContain('1 node(s) had volume node affinity conflict');
    api.setNode('a1', { unschedulable: false });
    await when(api.state, 'home again', () => readyPods(api).some(({ spec }) => spec.nodeName === 'a1'));
  });

  test('a cordon that is lifted lets the waiting pod in', async () => {
    const { api, client } = await lab([node('a1', { unschedulable: true }), fresh('web')]);
    await when(api.state, 'waiting', () => pendingReason(api) !== undefined);
    const patch = { spec: { unschedulable: null } };
    await client.send('PATCH', '/api/v1/nodes/a1', patch, { 'content-type': 'application/merge-patch+json' });
    await when(api.state, 'running', () => readyPods(api).length === 1);
  });
});

describe('the knobs', () => {
  test('a pod that never terminates stays until it is deleted without grace', async () => {
    const { api, client } = await lab([
      node('a1'),
      pod('x', { node: 'a1', behaviour: { neverTerminates: true } }),
      pod('y', { node: 'a1' }),
    ]);
    await client.send('DELETE', podPath('x'));
    await client.send('DELETE', podPath('y'));
    await when(api.state, 'the other is gone', () => pods(api).length === 1);
    expect(pods(api)[0]?.metadata).toMatchObject({ name: 'x', deletionTimestamp: expect.any(String) });
    await client.send('DELETE', `${podPath('x')}?gracePeriodSeconds=0`);
    expect(pods(api)).toEqual([]);
  });

  test('replacements inherit never being ready and crash loops from the template', async () => {
    const { api } = await lab([node('a1')]);
    const seeds = [
      deployment('lazy', { behaviour: { neverReady: true } }),
      deployment('broken', { behaviour: { crashLoops: true } }),
      deployment('good'),
    ];
    api.seed(seeds);
    await when(
      api.state,
      'started',
      () => pods(api).length === 3 && pods(api).every(({ status }) => status?.phase === 'Running'),
    );
    expect(readyPods(api).map(({ metadata }) => metadata.labels?.app)).toEqual(['good']);
    const broken = pods(api).find(({ metadata }) => metadata.labels?.app === 'broken');
    expect(broken?.status?.containerStatuses?.[0]?.state).toMatchObject({ waiting: { reason: 'CrashLoopBackOff' } });
  });

  test('a test may decide for itself which pods misbehave', async () => {
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1' }), pod('y', { node: 'a1' })]);
    api.cluster.behaviour = ({ metadata }) => (metadata.name === 'x' ? { neverTerminates: true } : {});
    await client.send('DELETE', '/api/v1/namespaces/default/pods');
    await when(api.state, 'one is left', () => pods(api).length === 1);
    expect(pods(api)[0]?.metadata.name).toBe('x');
  });

  test('nothing ends on a node whose kubelet is down, until it is back', async () => {
    const { api, client } = await lab([node('a1'), node('a2'), pod('x', { node: 'a1' }), pod('y', { node: 'a2' })]);
    api.setNode('a1', { kubelet: 'stopped' });
    await client.send('DELETE', '/api/v1/namespaces/default/pods');
    await when(api.state, 'the other is gone', () => pods(api).length === 1);
    expect(pods(api)[0]?.metadata.name).toBe('x');
    api.setNode('a1', { kubelet: 'auto' });
    await when(api.state, 'gone', () => pods(api).length === 0);
  });
});

describe('ownership', () => {
  test('deleting a Deployment takes its pods along, orphaning leaves them', async () => {
    const { api, client } = await lab([
      node('a1'),
      deployment('web', { node: 'a1' }),
      deployment('kept', { node: 'a1' }),
    ]);
    await client.send('DELETE', '/apis/apps/v1/namespaces/default/deployments/kept?propagationPolicy=Orphan');
    await client.send('DELETE', '/apis/apps/v1/namespaces/default/deployments/web');
    await when(api.state, 'collected', () => pods(api).length === 1 && api.state.list('replicasets').length === 1);
    expect(pods(api)[0]?.metadata.labels?.app).toBe('kept');
  });

  test('what has another owner left stays', async () => {
    const { api, client } = await lab([statefulset('one'), statefulset('two'), node('a1')]);
    const owners = api.state
      .list('statefulsets')
      .map(({ apiVersion, kind, metadata: { name, uid = '' } }) => ({ apiVersion, kind, name, uid }));
    const config = (name: string, ownerReferences: typeof owners) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, ownerReferences },
    });
    api.seed([config('shared', owners), config('single', owners.slice(0, 1))]);
    await client.send('DELETE', '/apis/apps/v1/namespaces/default/statefulsets/one');
    await when(api.state, 'collected', () => !api.state.get('configmaps', 'single', 'default'));
    expect(api.state.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['shared']);
  });

  test('in the foreground the owner goes last', async () => {
    const { api, client } = await lab([node('a1'), deployment('web', { node: 'a1' })]);
    const gone: string[] = [];
    api.state.subscribe(({ type, object }) => {
      if (type === 'DELETED') gone.push(object.kind);
    });
    await client.send('DELETE', '/apis/apps/v1/namespaces/default/deployments/web?propagationPolicy=Foreground');
    await when(api.state, 'collected', () => api.state.list('deployments').length === 0);
    await when(api.state, 'pods gone', () => pods(api).length === 0);
    expect(gone.indexOf('Deployment')).toBeGreaterThan(gone.indexOf('ReplicaSet'));
  });

  test('a pod whose owner never existed is left alone', async () => {
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'gone', uid: 'none', controller: true };
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1', owner }), pod('y', { node: 'a1' })]);
    await client.send('DELETE', podPath('y'));
    await when(api.state, 'the other is gone', () => pods(api).length === 1);
    expect(pods(api)[0]?.metadata.name).toBe('x');
  });

  test('a namespace empties itself before it goes', async () => {
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1', namespace: 'apps' })]);
    const { body } = await client.send('DELETE', '/api/v1/namespaces/apps');
    expect(body).toMatchObject({ status: { phase: 'Terminating' } });
    await when(api.state, 'gone', () => !api.state.get('namespaces', 'apps'));
    expect(pods(api)).toEqual([]);
  });

  test('a Deployment created through the API comes to life', async () => {
    const { api, client } = await lab([node('a1')]);
    const template = { metadata: { labels: { app: 'new' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const body = {
      metadata: { name: 'new' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'new' } }, template },
    };
    await client.send('POST', '/apis/apps/v1/namespaces/default/deployments', body);
    await when(api.state, 'ready', () => readyPods(api).length === 2);
    await when(
      api.state,
      'reported',
      () => api.state.get<Workload>('deployments', 'new', 'default')?.status?.readyReplicas === 2,
    );
  });
});
