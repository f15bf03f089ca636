import { afterEach, beforeEach, expect, test } from 'vitest';
import { clusterReport } from '../../../modules/kubernetes/cluster-report.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
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
  expect(pods.map(({ state }) => state).sort()).toEqual(['Running', 'Running', 'Succeeded']);
});
