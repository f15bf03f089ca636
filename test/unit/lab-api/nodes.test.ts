import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Api } from '../../lab/api/api.ts';
import { deployment, node, pdb } from '../../lab/api/fixtures.ts';
import { NodeLife } from '../../lab/api/nodes.ts';
import { type Budget, conditionOf, type Lease, type Node, type Pod } from '../../lab/api/objects.ts';
import { builtInResources, Registry } from '../../lab/api/resources.ts';
import { Store } from '../../lab/api/store.ts';
import { when } from '../../lab/api/when.ts';
import { lab, STILL } from './support.ts';

const get = (api: Api, name = 'a1') => api.state.get<Node>('nodes', name)!;
const ready = (api: Api, name = 'a1') => conditionOf(get(api, name), 'Ready');
const renewTime = (api: Api, name = 'a1') => api.state.get<Lease>('leases', name, 'kube-node-lease')?.spec.renewTime;
const taints = (api: Api) => get(api).spec.taints?.map(({ key, effect }) => `${key}:${effect}`) ?? [];

test('a server carries the labels and the condition by which k3s marks it', async () => {
  const { api } = await lab([node('s1', { server: true }), node('a1')], STILL);
  expect(Object.keys(get(api, 's1').metadata.labels!)).toContain('node-role.kubernetes.io/control-plane');
  expect(conditionOf(get(api, 's1'), 'EtcdIsVoter')?.status).toBe('True');
  expect(conditionOf(get(api), 'EtcdIsVoter')).toBeUndefined();
});

describe('taints', () => {
  test('follow the cordon', async () => {
    const { api } = await lab([node('a1', { taints: [{ key: 'own', effect: 'NoSchedule' }] })]);
    api.setNode('a1', { unschedulable: true });
    expect(taints(api)).toEqual(['own:NoSchedule', 'node.kubernetes.io/unschedulable:NoSchedule']);
    api.setNode('a1', { unschedulable: false });
    expect(taints(api)).toEqual(['own:NoSchedule']);
    expect(get(api).spec).not.toHaveProperty('unschedulable');
  });

  test('follow the Ready condition', async () => {
    const { api } = await lab([node('a1')]);
    api.setNode('a1', { ready: false });
    expect(ready(api)).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    expect(taints(api)).toContain('node.kubernetes.io/not-ready:NoExecute');
    api.setNode('a1', { ready: true });
    expect(taints(api)).toEqual([]);
  });
});

describe('heartbeats', () => {
  test('renew the lease by themselves', async () => {
    const { api } = await lab([node('a1')]);
    const first = renewTime(api);
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await when(api.state, 'renewed', () => renewTime(api) !== first);
  });

  test('that stop make the node Unknown and its pods unready; one more brings both back', async () => {
    const { api } = await lab([node('a1'), deployment('web', { node: 'a1' }), pdb('web', { minAvailable: 1 })]);
    const podReady = () => conditionOf(api.state.list<Pod>('pods')[0]!, 'Ready')?.status;
    const healthy = () => api.state.get<Budget>('poddisruptionbudgets', 'web', 'default')?.status?.currentHealthy;
    api.setNode('a1', { kubelet: 'stopped' });
    const last = renewTime(api);
    await when(api.state, 'lost', () => ready(api)?.status === 'Unknown' && podReady() === 'False' && healthy() === 0);
    expect(ready(api)).toMatchObject({ reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' });
    expect(taints(api)).toContain('node.kubernetes.io/unreachable:NoExecute');
    expect(renewTime(api)).toBe(last);
    api.setNode('a1', { kubelet: 'external' });
    api.heartbeat('a1');
    expect(ready(api)?.status).toBe('True');
    expect(renewTime(api)).not.toBe(last);
    await when(api.state, 'pods back', () => podReady() === 'True' && healthy() === 1);
  });

  test('a new version comes with a heartbeat', async () => {
    const { api } = await lab([node('a1')]);
    api.setNode('a1', { kubelet: 'external' });
    const before = renewTime(api);
    api.setNode('a1', { version: 'v1.32.1+k3s1' });
    expect(get(api).status?.nodeInfo?.kubeletVersion).toBe('v1.32.1+k3s1');
    expect(renewTime(api)).not.toBe(before);
  });

  test('of a node that is not there are refused', async () => {
    const { api } = await lab();
    expect(() => api.heartbeat('nobody')).toThrow('nodes "nobody" not found');
    expect(() => api.setNode('nobody', { ready: true })).toThrow('nodes "nobody" not found');
  });
});

describe('the judgement of heartbeats', () => {
  const setUp = () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = new Store(new Registry(builtInResources));
    store.add(node('s1', { server: true }));
    const life = new NodeLife(store, 1000);
    life.set('s1', { kubelet: 'external' });
    life.heartbeat('s1');
    const status = (type: string) => conditionOf(store.get<Node>('nodes', 's1')!, type)?.status;
    const pass = (milliseconds: number) => {
      vi.advanceTimersByTime(milliseconds);
      life.tick();
    };
    return { life, status, pass };
  };

  test('needs the whole grace period, and leaves what etcd reports alone', () => {
    const { status, pass } = setUp();
    pass(999);
    expect(status('Ready')).toBe('True');
    pass(1);
    expect([status('Ready'), status('DiskPressure'), status('EtcdIsVoter')]).toEqual(['Unknown', 'Unknown', 'True']);
  });

  test('starts anew after an outage of the API', () => {
    const { life, status, pass } = setUp();
    life.forgive();
    pass(5000);
    expect(status('Ready')).toBe('True');
    pass(1000);
    expect(status('Ready')).toBe('Unknown');
  });
});

test('labels, annotations and conditions merge, null removes', async () => {
  const { api } = await lab([node('s1', { server: true, labels: { a: '1' } })]);
  api.setNode('s1', { labels: { a: null, b: '2' }, annotations: { note: 'x' }, conditions: { EtcdIsVoter: false } });
  expect(get(api, 's1').metadata.labels).toMatchObject({ b: '2' });
  expect(get(api, 's1').metadata.labels).not.toHaveProperty('a');
  expect(get(api, 's1').metadata.annotations).toMatchObject({ note: 'x' });
  expect(conditionOf(get(api, 's1'), 'EtcdIsVoter')?.status).toBe('False');
});

test('a deleted node takes its lease and its pods along', async () => {
  const { api, client } = await lab([node('a1'), node('a2'), deployment('web', { node: 'a1' })]);
  await client.send('DELETE', '/api/v1/nodes/a1');
  await when(api.state, 'moved', () => api.state.list<Pod>('pods').every(({ spec }) => spec.nodeName === 'a2'));
  expect(renewTime(api)).toBeUndefined();
});
