import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clusterHealth } from '../../../modules/kubernetes/cluster-health.ts';
import { waitPods } from '../../../modules/kubernetes/wait-pods.ts';
import { newDamage, troubleOf } from '../../../modules/shared/kube-pod-health.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { deployment, job, node, pod, pvc } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
  api.seed([node('server-1', { server: true }), node('agent-1')]);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const waitFor = (given: Record<string, unknown>) => planOf(waitPods, given, targetOf(cluster));
const health = (given: Record<string, unknown>) => planOf(clusterHealth, given, targetOf(cluster));
const crashing = { node: 'agent-1', behaviour: { crashLoops: true } };

describe('wait-pods', () => {
  test('is content with running, finished and Job pods', async () => {
    api.seed([
      deployment('web', { node: 'agent-1', replicas: 2 }),
      job('task', { node: 'agent-1', ready: false, behaviour: { neverReady: true } }),
      pod('done', { node: 'agent-1', phase: 'Succeeded' }),
    ]);
    expect((await waitFor({})).facts).toMatchObject({ healthy: 4, broken: [] });
  });

  test('waits until pods that start are ready', async () => {
    api.seed([deployment('web', { replicas: 2 })]);
    expect((await waitFor({})).facts).toMatchObject({ healthy: 2 });
  });

  test('names the offenders and why, and leaves others out of its selection', async () => {
    api.seed([
      deployment('loop', crashing),
      deployment('huge', { cpu: '64' }),
      pod('slow', { node: 'agent-1', ready: false, behaviour: { neverReady: true } }),
      deployment('elsewhere', { ...crashing, node: 'server-1', namespace: 'other' }),
    ]);
    const failure = await waitFor({ namespace: 'default', timeout: '2s' }).catch((error) => error);
    expect(failure).toMatchObject({ code: 'deadline' });
    expect(failure.message).toMatch(/^3 pods are not healthy after 2 s/);
    expect(failure.message).toMatch(/default\/loop-\S+ on agent-1: CrashLoopBackOff \(container main, \d+ restarts\)/);
    expect(failure.message).toMatch(/default\/huge-\S+: Pending/);
    expect(failure.message).toMatch(/default\/slow on agent-1: not Ready/);
    expect(failure.facts.broken).toHaveLength(3);
    expect((await waitFor({ node: 'server-1', namespace: 'default' })).facts).toMatchObject({ healthy: 0 });
  });

  test('what was broken before does not block, new damage does', async () => {
    api.seed([deployment('loop', crashing)]);
    const before = await health({ fail: false });
    const baseline = before.facts?.broken;
    expect(baseline).toMatchObject([{ workload: 'default/Deployment/loop' }]);
    expect((await waitFor({ baseline })).facts).toMatchObject({ healthy: 0, broken: [{ node: 'agent-1' }] });
    api.seed([deployment('other', crashing)]);
    const failure = await waitFor({ baseline, timeout: '1s' }).catch((error) => error);
    expect(failure.message).toMatch(/^1 pod is not healthy.*\n {2}default\/other-/);
  });

  test('minimum asks for pods that must be there', async () => {
    await expect(waitFor({ label_selector: 'app=web', minimum: 1, timeout: '500ms' })).rejects.toThrow(
      '0 healthy pods, 1 are wanted after 0.5 s',
    );
  });
});

test('of a workload as many pods may be broken as before', () => {
  const broken = (name: string) => ({
    pod: `default/${name}`,
    workload: 'default/Deployment/web',
    node: '',
    reason: '',
  });
  const baseline = [{ workload: 'default/Deployment/web' }];
  expect(newDamage([broken('b')], baseline)).toEqual([]);
  expect(newDamage([broken('b'), broken('c')], baseline)).toEqual([broken('c')]);
});

test.each([
  ['a failed bare pod', pod('p', { phase: 'Failed' }), /^Failed/],
  ['a failed pod of a Job', job('p', {})[1], undefined],
  ['a terminating pod', pod('p', { deletedSecondsAgo: 5, ready: false }), undefined],
  ['an image that cannot be pulled', waiting('ImagePullBackOff'), /^ImagePullBackOff \(container main\)$/],
  ['a container being created', waiting('ContainerCreating'), /^Pending/],
])('%s', (_, one, expected) => {
  if (expected) expect(troubleOf(one)).toMatch(expected);
  else expect(troubleOf({ ...one, status: { ...one!.status!, phase: 'Failed' } })).toBeUndefined();
});

function waiting(reason: string) {
  const made = pod('p', { phase: 'Pending' });
  return { ...made, status: { ...made.status, containerStatuses: [{ name: 'main', state: { waiting: { reason } } }] } };
}

describe('cluster-health', () => {
  test('tells of pods that should have been gone for long; they are no problem', async () => {
    const { metadata, ...stuck } = pod('stuck', { node: 'agent-1', behaviour: { neverTerminates: true } });
    const since = '2020-01-01T00:00:00Z';
    api.seed([{ metadata: { ...metadata, deletionTimestamp: since, finalizers: ['test/never'] }, ...stuck }]);
    const target = targetOf(cluster);
    const { facts } = await planOf(clusterHealth, {}, target);
    expect(facts).toMatchObject({ healthy: true, stuck: [{ pod: 'default/stuck', node: 'agent-1', since }] });
    expect(target.warnings).toEqual([`default/stuck on agent-1 is stuck Terminating since ${since}`]);
  });

  test('a healthy cluster, its versions and nodes', async () => {
    api.seed([deployment('web', { node: 'agent-1' }), pvc('data', { node: 'agent-1' })]);
    expect((await health({})).facts).toMatchObject({
      healthy: true,
      server_version: 'v1.31.5+k3s1',
      problems: [],
      nodes: [
        { name: 'agent-1', ready: true, server: false, version: 'v1.31.5+k3s1' },
        { name: 'server-1', ready: true, server: true },
      ],
    });
  });

  test('fails with all that is wrong, unless it was known', async () => {
    const [volume, claim] = pvc('data', { node: 'agent-1' });
    api.seed([
      deployment('loop', crashing),
      { ...volume!, status: { phase: 'Failed', message: 'disk is gone' } },
      { ...claim!, status: { phase: 'Lost' } },
    ]);
    api.setNode('agent-1', { ready: false, kubelet: 'external' });
    api.setNode('server-1', { conditions: { DiskPressure: true } });
    const failure = await health({}).catch((error) => error);
    expect(failure).toMatchObject({ code: 'cluster-unhealthy' });
    for (const line of [
      /node agent-1: is not Ready/,
      /node server-1: has DiskPressure/,
      /default\/loop-\S+: CrashLoopBackOff/,
      /volume pvc-\S+: Failed \(disk is gone\)/,
      /claim default\/data: Lost/,
    ]) {
      expect(failure.message).toMatch(line);
    }
    const known = await health({ baseline: failure.facts.problems });
    expect(known).toMatchObject({ message: 'healthy, but for 5 problems known before' });
    expect(known.facts).toMatchObject({ healthy: true, new_problems: [] });
  });

  test('only what is asked for is looked at', async () => {
    api.seed([deployment('loop', crashing)]);
    expect((await health({ checks: ['nodes'] })).facts).toMatchObject({ healthy: true });
    expect((await health({ fail: false })).facts).toMatchObject({ healthy: false });
  });
});
