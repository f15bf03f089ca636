import { expect, test } from 'vitest';
import { startApi } from '../../lab/api/api.ts';
import { daemonset, deployment, node, pdb, pod, pvc, statefulset } from '../../lab/api/fixtures.ts';
import type { KubeObject, Pod } from '../../lab/api/objects.ts';
import { seedThroughApi } from '../../lab/api/seed.ts';
import type { Store } from '../../lab/api/store.ts';
import { STILL } from './support.ts';

const state = () => [
  node('a1', { unschedulable: true }),
  deployment('web', { namespace: 'apps', nodes: ['a1', 'a1'] }),
  statefulset('db', { node: 'a1', claim: 'data' }),
  daemonset('lb', { nodes: ['a1'] }),
  pvc('data', { node: 'a1' }),
  pod('bare', { node: 'a1', emptyDir: true }),
  pod('done', { node: 'a1', phase: 'Succeeded' }),
  pod('going', { node: 'a1', deletedSecondsAgo: 5 }),
  pdb('web', { namespace: 'apps', minAvailable: 2 }),
];

/** What must be the same whichever way the state came: all but uids, times, revisions and random suffixes. */
function essence(store: Store, kind: string): unknown[] {
  const owner = (object: KubeObject) => object.metadata.ownerReferences?.[0];
  return store.list<Pod>(kind).map((object) => ({
    name: object.metadata.name.replace(/-[a-z0-9]{5}$/, ''),
    namespace: object.metadata.namespace,
    labels: object.metadata.labels,
    terminating: object.metadata.deletionTimestamp !== undefined,
    node: object.spec?.nodeName,
    phase: object.status?.phase,
    owner: owner(object)?.kind,
    numbers: (object.status as { disruptionsAllowed?: number } | undefined)?.disruptionsAllowed,
  }));
}

test('seeding through requests gives the state that seeding directly gives', async () => {
  await using direct = await startApi(STILL);
  // No controllers at all, as a bare API server: the budgets' status must come along.
  await using remote = await startApi({ controllers: { ...STILL.controllers, budgets: false } });
  direct.seed(state());
  await seedThroughApi(remote.kubeconfig(), state());
  for (const kind of [
    'nodes',
    'pods',
    'deployments',
    'replicasets',
    'statefulsets',
    'daemonsets',
    'poddisruptionbudgets',
    'namespaces',
  ]) {
    expect(essence(remote.state, kind), kind).toEqual(essence(direct.state, kind));
  }
  expect(remote.state.list('poddisruptionbudgets')[0]).toMatchObject({
    status: { disruptionsAllowed: 0, currentHealthy: 2 },
  });
});

test('owner references follow to the uids that the server gave', async () => {
  await using remote = await startApi(STILL);
  await seedThroughApi(remote.kubeconfig(), deployment('web', { node: 'a1' }));
  const [set] = remote.state.list('replicasets');
  const [owner] = remote.state.list('deployments');
  expect(set?.metadata.ownerReferences?.[0]?.uid).toBe(owner?.metadata.uid);
  expect(remote.state.list('pods')[0]?.metadata.ownerReferences?.[0]?.uid).toBe(set?.metadata.uid);
});

test('a refusal names the object', async () => {
  await using remote = await startApi(STILL);
  await expect(seedThroughApi(remote.kubeconfig(), [pod('x'), pod('x')])).rejects.toThrow();
  const broken = { ...pod('Y'), kind: 'Pod' };
  await expect(seedThroughApi(remote.kubeconfig(), [broken])).rejects.toThrow('the server refused Pod default/Y: 422');
});
