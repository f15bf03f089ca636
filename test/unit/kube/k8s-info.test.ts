import { afterEach, beforeEach, expect, test } from 'vitest';
import { k8sInfo } from '../../../modules/kubernetes/k8s-info.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { deployment, node, pod } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, type TestTarget, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
  api.seed([
    node('agent-1'),
    deployment('web', { node: 'agent-1', replicas: 2, namespace: 'shop' }),
    pod('web', { node: 'agent-1' }),
  ]);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const info = async (given: Record<string, unknown>, target: TestTarget = targetOf(cluster)) =>
  (await planOf(k8sInfo, given, target)).facts as { count: number; resources: { kind: string; apiVersion: string }[] };

test.each(['Pod', 'pods', 'po'])('finds %s in all namespaces, with their kind', async (kind) => {
  const { count, resources } = await info({ kind });
  expect(count).toBe(3);
  expect(resources[0]).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
});

test('one object, in the namespace that is named or in default', async () => {
  expect(await info({ kind: 'Pod', name: 'web' })).toMatchObject({ count: 1 });
  expect(await info({ kind: 'Deployment', name: 'web', namespace: 'shop' })).toMatchObject({
    resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
  });
  expect(await info({ kind: 'Deployment', name: 'web' })).toEqual({ count: 0, resources: [] });
  expect(await info({ kind: 'Node', name: 'agent-1' })).toMatchObject({ count: 1 });
});

test('selectors', async () => {
  expect(await info({ kind: 'Pod', label_selector: 'app=web', namespace: 'shop' })).toMatchObject({ count: 2 });
  expect(await info({ kind: 'Pod', field_selector: 'metadata.name=web' })).toMatchObject({ count: 1 });
});

test('values of Secrets are handed over as secrets', async () => {
  const data = { password: btoa('hunter2-hunter2') };
  api.seed([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: 'default' }, data }]);
  const secrets: unknown[] = [];
  const target = targetOf(cluster);
  target.secret = (value) => {
    secrets.push(value);
    return value;
  };
  await info({ kind: 'Secret', name: 'db' }, target);
  expect(secrets).toEqual([data.password, 'hunter2-hunter2']);
});

test('unknown kinds and groups name what there is', async () => {
  await expect(info({ kind: 'Podd' })).rejects.toMatchObject({
    message: 'v1 of this cluster has no kind Podd',
    hint: expect.stringContaining('Pod,'),
  });
  await expect(info({ kind: 'Volume', api_version: 'longhorn.io/v1beta2' })).rejects.toMatchObject({
    code: 'no-such-kind',
    message: expect.stringContaining('no API longhorn.io/v1beta2 (for kind Volume)'),
  });
  await expect(info({ kind: 'Node', namespace: 'shop' })).rejects.toThrow('belong to no namespace');
});
