import { describe, expect, test } from 'vitest';
import type { BudgetOptions } from '../../lab/api/fixtures.ts';
import { daemonset, deployment, namespace, node, pdb, pod, statefulset } from '../../lab/api/fixtures.ts';
import { type Budget, isReady, type Pod } from '../../lab/api/objects.ts';
import { asStatus, eviction, lab, podPath, STILL } from './support.ts';

const VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget.";
const nodes = [node('a1'), node('a2')];

const budgetOf = (needed: number, current: number, name = 'web') => ({
  causes: [
    {
      reason: 'DisruptionBudget',
      message: `The disruption budget ${name} needs ${needed} healthy pods and has ${current} currently`,
    },
  ],
});

describe('the numbers of a budget', () => {
  const table: [string, number, BudgetOptions, Partial<Budget['status']>][] = [
    [
      'minAvailable 2 of 3',
      3,
      { minAvailable: 2 },
      { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 },
    ],
    [
      'minAvailable 50% of 3',
      3,
      { minAvailable: '50%' },
      { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 },
    ],
    [
      'minAvailable 100%',
      2,
      { minAvailable: '100%' },
      { expectedPods: 2, desiredHealthy: 2, currentHealthy: 2, disruptionsAllowed: 0 },
    ],
    [
      'maxUnavailable 0',
      2,
      { maxUnavailable: 0 },
      { expectedPods: 2, desiredHealthy: 2, currentHealthy: 2, disruptionsAllowed: 0 },
    ],
    [
      'maxUnavailable 34% of 3',
      3,
      { maxUnavailable: '34%' },
      { expectedPods: 3, desiredHealthy: 1, currentHealthy: 3, disruptionsAllowed: 2 },
    ],
    [
      'no pods at all',
      0,
      { minAvailable: 0 },
      { expectedPods: 0, desiredHealthy: 0, currentHealthy: 0, disruptionsAllowed: 0 },
    ],
  ];

  test.each(table)('%s', async (_name, replicas, numbers, expected) => {
    const { api } = await lab(
      [nodes, deployment('web', { replicas, nodes: ['a1', 'a2'] }), pdb('web', numbers)],
      STILL,
    );
    expect(api.state.get<Budget>('poddisruptionbudgets', 'web', 'default')?.status).toMatchObject(expected!);
  });

  test('unready and terminating pods are not healthy, finished ones not even expected', async () => {
    const labels = { app: 'web' };
    const pods = [
      pod('ready', { node: 'a1', labels }),
      pod('unready', { node: 'a1', labels, ready: false }),
      pod('going', { node: 'a1', labels, deletedSecondsAgo: 1 }),
      pod('done', { node: 'a1', labels, phase: 'Succeeded' }),
    ];
    const { api } = await lab([nodes, pods, pdb('web', { minAvailable: 1 })], STILL);
    expect(api.state.get<Budget>('poddisruptionbudgets', 'web', 'default')?.status).toMatchObject({
      expectedPods: 3,
      currentHealthy: 1,
      disruptionsAllowed: 0,
    });
  });

  test('percentages need owners with a scale: a DaemonSet makes the budget fail to sync', async () => {
    const { api, client } = await lab(
      [nodes, daemonset('web', { nodes: ['a1'] }), pdb('web', { maxUnavailable: 1 })],
      STILL,
    );
    const [found] = api.state.list<Pod>('pods');
    const refused = await client.send(
      'POST',
      `${podPath(found!.metadata.name)}/eviction`,
      eviction(found!.metadata.name),
    );
    expect(asStatus(refused.body).details?.causes?.[0]?.message).toContain('because it failed sync');
  });
});

describe.each(['v1', 'v1beta1'])('an eviction of policy/%s', (version) => {
  test('goes as far as the budget allows, then 429 names budget, needed and current', async () => {
    const { api, client } = await lab(
      [nodes, statefulset('web', { replicas: 3, nodes: ['a1', 'a2'] }), pdb('web', { minAvailable: 2 })],
      STILL,
    );
    const evict = (name: string) => client.send('POST', `${podPath(name)}/eviction`, eviction(name, {}, version));
    expect(await evict('web-0')).toMatchObject({ code: 201, body: { kind: 'Status', status: 'Success' } });
    expect(api.state.get('pods', 'web-0', 'default')?.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 30,
    });
    const refused = await evict('web-1');
    expect(refused.code).toBe(429);
    expect(refused.headers).not.toHaveProperty('retry-after');
    expect(refused.body).toMatchObject({ reason: 'TooManyRequests', message: VIOLATION, details: budgetOf(2, 2) });
    expect(api.mutations).toMatchObject([{ verb: 'create', subresource: 'eviction', name: 'web-0' }]);
  });
});

test('a dry run answers as the real thing would and changes nothing, the budget included', async () => {
  const { api, client } = await lab(
    [nodes, statefulset('web', { replicas: 2, node: 'a1' }), pdb('web', { minAvailable: 1 })],
    STILL,
  );
  const before = api.state.revision;
  const evict = (name: string, query = '', options: object = {}) =>
    client.send('POST', `${podPath(name)}/eviction${query}`, eviction(name, options));
  expect((await evict('web-0', '?dryRun=All')).code).toBe(201);
  expect((await evict('web-1', '', { dryRun: ['All'] })).code).toBe(201);
  expect(api.state.revision).toBe(before);
  expect(api.writeLog).toHaveLength(2);
  expect(api.mutations).toEqual([]);
  await evict('web-0');
  expect((await evict('web-1', '?dryRun=All')).code).toBe(429);
});

test('two budgets on one pod are an error of the server', async () => {
  const { client } = await lab(
    [
      nodes,
      statefulset('web', { node: 'a1' }),
      pdb('one', { matchLabels: { app: 'web' } }),
      pdb('two', { matchLabels: { app: 'web' } }),
    ],
    STILL,
  );
  const answer = await client.send('POST', `${podPath('web-0')}/eviction`, eviction('web-0'));
  expect(answer).toMatchObject({
    code: 500,
    body: {
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      code: 500,
    },
  });
  expect(answer.body).not.toHaveProperty('reason');
});

test('a budget whose controller has not seen it asks to come again in ten seconds', async () => {
  const { client } = await lab([nodes, statefulset('web', { node: 'a1' }), pdb('web', { minAvailable: 0 })], {
    controllers: { ...STILL.controllers, budgets: false },
  });
  const answer = await client.send('POST', `${podPath('web-0')}/eviction`, eviction('web-0'));
  expect(answer.code).toBe(429);
  expect(answer.headers['retry-after']).toBe('10');
  expect(asStatus(answer.body).details).toEqual({
    causes: [
      { reason: 'DisruptionBudget', message: 'The disruption budget web is still being processed by the server.' },
    ],
    retryAfterSeconds: 10,
  });
});

test.each([
  ['Pending', { phase: 'Pending' as const }],
  ['Succeeded', { phase: 'Succeeded' as const }],
  ['Failed', { phase: 'Failed' as const }],
  ['already going', { deletedSecondsAgo: 1 }],
])('a pod that is %s passes every budget', async (_name, options) => {
  const { client } = await lab([nodes, pod('x', { node: 'a1', ...options }), pdb('x', { maxUnavailable: 0 })], STILL);
  expect((await client.send('POST', `${podPath('x')}/eviction`, eviction('x'))).code).toBe(201);
});

describe('an unready pod', () => {
  const state = (policy?: BudgetOptions['unhealthyPodEvictionPolicy']) => [
    nodes,
    statefulset('web', { replicas: 2, node: 'a1' }),
    pdb('web', { minAvailable: 2, ...(policy ? { unhealthyPodEvictionPolicy: policy } : {}) }),
  ];
  const evictUnready = async (policy?: BudgetOptions['unhealthyPodEvictionPolicy'], minAvailable?: number) => {
    const { api, client } = await lab(state(policy), STILL);
    api.state.update<Pod>('pods', 'web-1', 'default', (draft) => {
      for (const condition of draft.status!.conditions!) if (condition.type === 'Ready') condition.status = 'False';
    });
    if (minAvailable) {
      api.state.update<Budget>('poddisruptionbudgets', 'web', 'default', (draft) => {
        draft.spec.minAvailable = minAvailable;
      });
    }
    expect(isReady(api.state.get<Pod>('pods', 'web-1', 'default')!)).toBe(false);
    return (await client.send('POST', `${podPath('web-1')}/eviction`, eviction('web-1'))).code;
  };

  test('needs budget while too few others are healthy', async () => expect(await evictUnready()).toBe(429));
  test('goes when the others suffice', async () => expect(await evictUnready(undefined, 1)).toBe(201));
  test('always goes with AlwaysAllow', async () => expect(await evictUnready('AlwaysAllow')).toBe(201));
});

test('preconditions hold the delete, so a pod of the same name elsewhere survives', async () => {
  const { api, client } = await lab([nodes, statefulset('web', { node: 'a1' })], STILL);
  const evict = (uid: string) =>
    client.send('POST', `${podPath('web-0')}/eviction`, eviction('web-0', { preconditions: { uid } }));
  expect((await evict('another')).body).toMatchObject({ code: 409, reason: 'Conflict' });
  expect(api.state.get('pods', 'web-0', 'default')?.metadata.deletionTimestamp).toBeUndefined();
  expect((await evict(api.state.get('pods', 'web-0', 'default')!.metadata.uid!)).code).toBe(201);
});

test('a grace period given with the eviction counts', async () => {
  const { api, client } = await lab([nodes, pod('x', { node: 'a1' }), pod('y', { node: 'a1' })], STILL);
  await client.send('POST', `${podPath('x')}/eviction`, eviction('x', { gracePeriodSeconds: 5 }));
  await client.send('POST', `${podPath('y')}/eviction`, eviction('y', { gracePeriodSeconds: 0 }));
  expect(api.state.get('pods', 'x', 'default')?.metadata.deletionGracePeriodSeconds).toBe(5);
  expect(api.state.get('pods', 'y', 'default')).toBeUndefined();
});

test('a namespace on its way out forbids evictions with a cause of its own', async () => {
  const { client } = await lab(
    [nodes, namespace('gone', { terminating: true }), pod('x', { namespace: 'gone', node: 'a1' })],
    STILL,
  );
  const answer = await client.send('POST', `${podPath('x', 'gone')}/eviction`, eviction('x', {}, 'v1', 'gone'));
  expect(answer.body).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
  });
});

test('what is not there and what names another pod', async () => {
  const { client } = await lab([nodes, pod('x', { node: 'a1' })], STILL);
  expect((await client.send('POST', `${podPath('y')}/eviction`, eviction('y'))).code).toBe(404);
  expect((await client.send('POST', `${podPath('x')}/eviction`, eviction('y'))).code).toBe(400);
});
