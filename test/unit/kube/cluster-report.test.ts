import { afterEach, beforeEach, expect, test } from 'vitest';
import { clusterReport } from '../../../modules/kubernetes/cluster-report.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { pvc } from '../../lab/api/claim-fixture.ts';
import { deployment, node, pod } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, targetOf } from './target.ts';

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

test('takes down nodes, what they have and give, and pods with their workloads; writes nothing', async () => {
  api.seed([
    node('server-1', { server: true }),
    node('agent-1'),
    deployment('web', { node: 'agent-1', replicas: 2, cpu: '250m' }),
    pod('done', { node: 'agent-1', phase: 'Succeeded', cpu: '4' }),
    pvc('data', { namespace: 'default' }),
  ]);
  const { facts, message, changes } = await planOf(clusterReport, {}, targetOf(cluster));
  expect(changes).toEqual([]);
  expect(api.mutations).toEqual([]);
  expect(message).toMatch(/^2 of 2 nodes Ready, 3 pods, API v/);
  expect(facts?.nodes).toMatchObject([
    { name: 'agent-1', server: false, ready: true, cordoned: false, cpu_requested: 0.5 },
    { name: 'server-1', server: true, cpu_requested: 0 },
  ]);
  const pods = facts?.pods as { workload: string; node: string; state: string }[];
  expect(pods.filter(({ workload }) => workload === 'default/Deployment/web')).toHaveLength(2);
  expect(facts?.claims).toEqual([{ claim: 'default/data', volume: expect.stringMatching(/^pvc-/), state: 'Bound' }]);
  expect(pods.map(({ state }) => state).sort()).toEqual(['Running', 'Running', 'Succeeded']);
});

test('leaves claims out where they may not be read', async () => {
  api.seed([node('agent-1')]);
  api.authorize(({ resource }) => (resource === 'persistentvolumeclaims' ? 'no' : undefined));
  const { facts } = await planOf(clusterReport, {}, targetOf(cluster));
  expect(facts?.nodes).toHaveLength(1);
  expect(facts).not.toHaveProperty('claims');
});
