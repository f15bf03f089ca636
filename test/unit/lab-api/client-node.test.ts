import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  PolicyV1Api,
  type V1Node,
  Watch,
} from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { deployment, node, pdb, statefulset } from '../../lab/api/fixtures.ts';
import { lab, STILL } from './support.ts';

async function config(...seeds: Parameters<typeof lab>) {
  const { api } = await lab(...seeds);
  const kube = new KubeConfig();
  kube.loadFromString(api.kubeconfig());
  return { api, kube, core: kube.makeApiClient(CoreV1Api) };
}

test('the client reeve uses lists, patches and evicts', async () => {
  const { api, kube, core } = await config(
    [
      node('a1'),
      deployment('web', { node: 'a1' }),
      statefulset('db', { node: 'a1' }),
      pdb('db', { maxUnavailable: 0 }),
    ],
    STILL,
  );
  const { items } = await core.listPodForAllNamespaces({ fieldSelector: 'spec.nodeName=a1' });
  expect(items.map(({ metadata }) => metadata?.labels?.app).sort()).toEqual(['db', 'web']);
  const budgets = await kube.makeApiClient(PolicyV1Api).listPodDisruptionBudgetForAllNamespaces();
  expect(budgets.items[0]?.status).toMatchObject({ disruptionsAllowed: 0, expectedPods: 1 });
  const refused = core.createNamespacedPodEviction({
    name: 'db-0',
    namespace: 'default',
    body: { metadata: { name: 'db-0', namespace: 'default' }, deleteOptions: { dryRun: ['All'] } },
  });
  const error = await refused.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiException);
  expect((error as ApiException<string>).code).toBe(429);
  expect(JSON.stringify((error as ApiException<unknown>).body)).toContain(
    'The disruption budget db needs 1 healthy pods and has 1 currently',
  );
  expect(api.mutations).toEqual([]);
});

test('two holders of a lease conflict', async () => {
  const { kube } = await config([], STILL);
  const leases = kube.makeApiClient(CoordinationV1Api);
  const body = { metadata: { name: 'reeve' }, spec: { holderIdentity: 'one', leaseDurationSeconds: 60 } };
  const created = await leases.createNamespacedLease({ namespace: 'kube-system', body });
  await leases.replaceNamespacedLease({
    name: 'reeve',
    namespace: 'kube-system',
    body: { ...created, spec: { holderIdentity: 'two' } },
  });
  const stale = leases.replaceNamespacedLease({
    name: 'reeve',
    namespace: 'kube-system',
    body: { ...created, spec: { holderIdentity: 'three' } },
  });
  await expect(stale).rejects.toMatchObject({ code: 409 });
});

test('its watch hears of a change', async () => {
  const { api, kube } = await config([node('a1')], STILL);
  const heard = await new Promise<V1Node>((resolve, reject) => {
    void new Watch(kube).watch(
      '/api/v1/nodes',
      { fieldSelector: 'metadata.name=a1' },
      (type, object: V1Node) => {
        if (type === 'ADDED') api.setNode('a1', { ready: false });
        if (type === 'MODIFIED') resolve(object);
      },
      (error) => reject(error ?? new Error('the watch ended')),
    );
  });
  expect(heard.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
});
