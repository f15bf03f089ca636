import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitNode } from '../../../modules/kubernetes/wait-node.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { node } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  // The node controller is off: here a node is lost only when a test says so.
  api = await startApi({ controllers: { nodes: false } });
  cluster = clusterOf(api);
  api.seed([node('agent-1')]);
  api.setNode('agent-1', { kubelet: 'external' });
  api.heartbeat('agent-1');
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const wait = (given: Record<string, unknown>) => planOf(waitNode, given, targetOf(cluster));
const renewTime = () =>
  (api.state.get('leases', 'agent-1', 'kube-node-lease')!.spec as { renewTime: string }).renewTime;

/** Calls back once, when a watch of that resource begins: the module then waits. */
function onceWatched(resource: string, then: () => void): void {
  let done = false;
  api.faults.onRequest = ({ path, query }) => {
    if (done || !query.has('watch') || !path.endsWith(`/${resource}`)) return undefined;
    done = true;
    setImmediate(then);
    return undefined;
  };
}

test('a Ready node is there at once, with its heartbeat', async () => {
  const { facts, changes } = await wait({});
  expect(changes).toEqual([]);
  expect(facts).toMatchObject({ node: 'agent-1', ready: true, version: 'v1.31.5+k3s1', cordoned: false });
  expect(facts?.renew_time).toBe(renewTime());
});

test('waits for version and Ready, also while the API is away', async () => {
  api.setNode('agent-1', { ready: false, version: 'v1.30.2+k3s1' });
  onceWatched('nodes', () => {
    void api.goAway().then(async () => {
      await api.comeBack();
      api.setNode('agent-1', { ready: true });
      api.setNode('agent-1', { version: 'v1.31.5+k3s1' });
    });
  });
  expect((await wait({ version: '1.31.5+k3s1' })).facts).toMatchObject({ ready: true, version: 'v1.31.5+k3s1' });
});

test('a heartbeat must be another one than before', async () => {
  const before = renewTime();
  onceWatched('leases', () => api.heartbeat('agent-1'));
  const { facts } = await wait({ heartbeat_after: before });
  expect(facts?.renew_time).toBe(renewTime());
  expect(renewTime()).not.toBe(before);
});

test('without a new heartbeat a Ready node is not believed', async () => {
  await expect(wait({ heartbeat: true, timeout: '800ms' })).rejects.toMatchObject({
    code: 'deadline',
    message: expect.stringMatching(/^Node agent-1 has sent no heartbeat since .*, after 0.8 s$/),
  });
});

test('says at the deadline what the node lacks', async () => {
  const rejection = (given: Record<string, unknown>) =>
    wait({ timeout: '800ms', ...given }).catch((error) => error.message);
  expect(await rejection({ version: 'v1.32.0+k3s1' })).toBe(
    'Node agent-1 runs v1.31.5+k3s1 instead of v1.32.0+k3s1, after 0.8 s',
  );
  api.setNode('agent-1', { ready: false });
  expect(await rejection({})).toMatch(/^Node agent-1 is not Ready: .*, after 0.8 s$/);
  expect(await rejection({ node: 'agent-9' })).toBe('Node agent-9 is not there, after 0.8 s');
  await api.goAway();
  // Long enough for one whole question on a busy machine.
  expect(await rejection({ timeout: '4s' })).toMatch(/No answer to GET .*connection refused$/);
});

test('a server that is a learner of etcd is waited for', async () => {
  api.seed([node('server-1', { server: true })]);
  api.setNode('server-1', { conditions: { EtcdIsVoter: false } });
  await expect(wait({ node: 'server-1', timeout: '800ms' })).rejects.toThrow('is no voting member of etcd yet');
  onceWatched('nodes', () => api.setNode('server-1', { conditions: { EtcdIsVoter: true } }));
  expect((await wait({ node: 'server-1' })).facts).toMatchObject({ ready: true });
});

test('waits until a node is gone', async () => {
  onceWatched('nodes', () => api.state.remove('nodes', 'agent-1'));
  expect(await wait({ absent: true })).toMatchObject({ message: 'agent-1 is gone' });
});

test('arguments that contradict each other are refused before any connection', () => {
  expect(waitNode.check!({ absent: true, version: 'v1' })).toMatch('does not go with');
  expect(waitNode.check!({ timeout: 'soon' })).toBe('`timeout` is no duration: use seconds, or 90s, 5m, 1h30m');
});
