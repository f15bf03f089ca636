import { afterEach, beforeEach, expect, test } from 'vitest';
import { k8s } from '../../../modules/kubernetes/k8s.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { clusterOf, planOf, runModule, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const settings = (data: Record<string, string>) => ({
  definition: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data },
});
const stored = () => api.state.get('configmaps', 'settings', 'default') as { data?: unknown } | undefined;

test('creates, changes and leaves alone; the plan shows the difference and writes nothing', async () => {
  const target = targetOf(cluster);
  const first = await planOf(k8s, settings({ a: '1' }), target);
  expect(first.changes).toMatchObject([{ summary: 'ConfigMap default/settings: create', before: '' }]);
  expect(api.mutations).toEqual([]);
  await runModule(k8s, settings({ a: '1' }), target);
  expect(stored()?.data).toEqual({ a: '1' });
  expect((await planOf(k8s, settings({ a: '1' }), target)).changes).toEqual([]);
  const { plan } = await runModule(k8s, settings({ a: '2' }), target);
  expect(plan.changes[0]?.before).toContain('"a": "1"');
  expect(plan.changes[0]?.after).toContain('"a": "2"');
  expect(stored()?.data).toEqual({ a: '2' });
});

test('patches only what exists', async () => {
  const target = targetOf(cluster);
  await expect(runModule(k8s, { ...settings({ b: '2' }), state: 'patched' }, target)).rejects.toThrow('does not exist');
  await runModule(k8s, settings({ a: '1' }), target);
  await runModule(k8s, { ...settings({ b: '2' }), state: 'patched' }, target);
  expect(stored()?.data).toEqual({ a: '1', b: '2' });
});

test('deletes, and finds nothing to delete afterwards', async () => {
  const target = targetOf(cluster);
  await runModule(k8s, settings({}), target);
  const { applied } = await runModule(k8s, { ...settings({}), state: 'absent' }, target);
  expect(applied?.facts).toEqual({ exists: false });
  expect(stored()).toBeUndefined();
  expect((await planOf(k8s, { ...settings({}), state: 'absent' }, target)).changes).toEqual([]);
});

test.each(['present', 'patched', 'absent'] as const)('undo of %s puts back what was', async (state) => {
  const target = targetOf(cluster);
  await runModule(k8s, settings({ a: '1' }), target);
  const { applied } = await runModule(k8s, { ...settings({ a: '2' }), state }, target);
  await k8s.undo!(JSON.parse(JSON.stringify(applied!.undo)) as never, target);
  expect(stored()?.data).toEqual({ a: '1' });
});

test('undo is not put off by somebody who writes between its look and its write', async () => {
  const target = Object.assign(targetOf(cluster), { sleep: async () => {} });
  await runModule(k8s, settings({ a: '1' }), target);
  const { applied } = await runModule(k8s, settings({ a: '2' }), target);
  let writes = 0;
  api.faults.onRequest = ({ method }) => {
    if (method === 'PUT' && writes++ < 2) {
      const now = api.state.get('configmaps', 'settings', 'default')!;
      api.state.replace({ ...now, metadata: { ...now.metadata, annotations: { by: `controller ${writes}` } } });
    }
    return undefined;
  };
  await k8s.undo!(JSON.parse(JSON.stringify(applied!.undo)) as never, target);
  expect(writes).toBe(3);
  expect(stored()?.data).toEqual({ a: '1' });
});

test('undo of a creation deletes', async () => {
  const target = targetOf(cluster);
  const { applied } = await runModule(k8s, settings({}), target);
  await k8s.undo!(applied!.undo as never, target);
  expect(stored()).toBeUndefined();
});

test('what is in a Secret is kept out of the difference', async () => {
  const definition = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, data: { password: btoa('x') } };
  expect((await planOf(k8s, { definition }, targetOf(cluster))).changes[0]?.sensitive).toBe(true);
});

test('a definition without its identity is refused before any connection', () => {
  expect(k8s.check!({ definition: { kind: 'Pod' } })).toMatch('needs `apiVersion` and `kind`');
  expect(k8s.check!({ definition: { kind: 'Pod', apiVersion: 'v1' } })).toMatch('needs `metadata.name`');
});
