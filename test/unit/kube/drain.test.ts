import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { drain } from '../../../modules/kubernetes/drain.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { daemonset, deployment, node, pdb, pod, pvc, statefulset } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, runModule, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
  api.seed([node('server-1', { server: true }), node('agent-1'), node('agent-2')]);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const isCordoned = (name = 'agent-1') =>
  (api.state.get('nodes', name)!.spec as { unschedulable?: boolean }).unschedulable === true;
const podsOn = (name: string) =>
  api.state.list('pods').filter((one) => (one.spec as { nodeName?: string }).nodeName === name);
/** Evictions that were accepted, by the pod's name. */
const evictions = () => api.mutations.filter(({ subresource }) => subresource === 'eviction').map(({ name }) => name);

test('evicts what it should, waits until it is gone, and leaves the node cordoned', async () => {
  api.seed([
    deployment('web', { node: 'agent-1', replicas: 2 }),
    daemonset('agent', { nodes: ['agent-1', 'agent-2'] }),
    pod('static', { node: 'agent-1', mirror: true }),
    pod('done', { node: 'agent-1', phase: 'Succeeded' }),
  ]);
  const target = targetOf(cluster);
  const { plan, applied } = await runModule(drain, {}, target);
  expect(plan.changes[0]).toEqual({ summary: 'agent-1: cordon' });
  expect(plan.changes).toHaveLength(4);
  expect(isCordoned()).toBe(true);
  expect(podsOn('agent-1').map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^agent-/), 'static']);
  expect(applied?.facts).toMatchObject({
    evicted: expect.arrayContaining(['default/done']),
    ignored: [expect.stringMatching(/^default\/agent-/)],
    skipped: [{ pod: 'default/static', why: 'is a static pod' }],
    was_cordoned: false,
  });
  expect(applied?.facts?.evicted).toHaveLength(3);
  expect(new Set(applied!.facts!.evicted as string[])).toEqual(new Set(plan.predicted!.evicted as string[]));
  expect(target.states).toEqual([['agent-1', 'cordoned']]);
  expect(target.lines.filter((line) => line.includes('has left'))).toHaveLength(3);
});

test('a drained node has nothing to change, and planning changes nothing', async () => {
  api.seed([deployment('web', { node: 'agent-1' })]);
  const target = targetOf(cluster);
  await planOf(drain, {}, target);
  expect(api.mutations).toEqual([]);
  expect(api.writeLog).toHaveLength(1);
  await runModule(drain, {}, target);
  expect(await planOf(drain, {}, target)).toMatchObject({ changes: [], message: 'agent-1 is drained already' });
});

test('in check mode the pods of later nodes are marked as of now', async () => {
  api.seed([deployment('web', { nodes: ['agent-1', 'agent-2'] })]);
  const first = targetOf(cluster);
  const plan = await planOf(drain, {}, first);
  expect(plan.changes.map(({ summary }) => summary)).not.toContainEqual(expect.stringContaining('as of now'));
  const second = targetOf(cluster, { nodeName: 'agent-2' });
  Object.assign(second.foresight, plan.foresees);
  expect((await planOf(drain, {}, second)).changes).toMatchObject([
    { summary: 'agent-2: cordon' },
    { summary: expect.stringMatching(/^evict default\/web-\S+ \(as of now\)$/) },
  ]);
});

describe('refusals', () => {
  test('name every pod and argument before anything is touched', async () => {
    api.seed([
      deployment('cache', { node: 'agent-1', emptyDir: true }),
      pod('bare', { node: 'agent-1' }),
      deployment('web', { node: 'agent-1' }),
      pdb('one', { matchLabels: { app: 'web' } }),
      pdb('two', { matchLabels: { app: 'web' } }),
    ]);
    const target = targetOf(cluster);
    const failure = (await runModule(drain, {}, target).catch((error) => error)) as Error & { hint: string };
    expect(failure.message).toMatch(/^agent-1 is not drained: 3 pods forbid it/);
    expect(failure.message).toMatch(/default\/cache-\S+ has data in an emptyDir .*delete_emptydir_data: true/);
    expect(failure.message).toMatch(/default\/bare has no controller .*force: true/);
    expect(failure.message).toMatch(
      /default\/web-\S+ is selected by more than one PodDisruptionBudget \(default\/one, default\/two\)/,
    );
    expect(failure.hint).toContain('drain: { delete_emptydir_data: true, force: true }');
    expect(api.mutations).toEqual([]);
    expect(target.states).toEqual([]);
  });

  test('a missing right is found before the cordon', async () => {
    api.seed([deployment('web', { node: 'agent-1' })]);
    api.authorize(({ subresource }) => (subresource === 'eviction' ? 'no' : undefined));
    await expect(runModule(drain, {}, targetOf(cluster))).rejects.toMatchObject({ code: 'cluster-forbidden' });
    expect(isCordoned()).toBe(false);
  });
});

describe('budgets', () => {
  test('one that never allows ends at the deadline with its name and numbers, the node as it was', async () => {
    api.seed([deployment('web', { node: 'agent-1', replicas: 2 }), pdb('web', { minAvailable: 2 })]);
    const target = targetOf(cluster);
    const failure = (await runModule(drain, { timeout: '1500ms', retry: '50ms' }, target).catch((e) => e)) as Error;
    expect(failure).toMatchObject({ code: 'drain-deadline' });
    expect(failure.message).toMatch(/held by the budget default\/web: needs 2 healthy pods, has 2, allows 0 evictions/);
    expect(failure.message).toContain('it can never allow one');
    expect(isCordoned()).toBe(false);
    expect(api.state.get('nodes', 'agent-1')!.metadata.annotations).not.toHaveProperty('reeve.dev/cordoned-by');
    expect(evictions()).toEqual([]);
    expect(target.states).toEqual([
      ['agent-1', 'cordoned'],
      ['agent-1', undefined],
    ]);
  });

  test('one that opens lets the pods go', async () => {
    api.seed([deployment('web', { node: 'agent-1', replicas: 2 }), pdb('web', { minAvailable: 2 })]);
    const target = targetOf(cluster);
    let refusals = 0;
    api.faults.onRequest = ({ path }) => {
      if (!path.endsWith('/eviction') || ++refusals !== 8) return undefined;
      api.seed([{ ...pdb('web', { minAvailable: 0 }) }]);
      return undefined;
    };
    const { applied } = await runModule(drain, { retry: '20ms' }, target);
    expect(applied?.facts?.evicted).toHaveLength(2);
    expect(target.lines).toContainEqual(expect.stringMatching(/stays for now: the disruption budget web needs 2/));
  });

  test('one replica at a time gets through as its replacements become ready', async () => {
    api.seed([deployment('web', { nodes: ['agent-1'], replicas: 3 }), pdb('web', { minAvailable: 2 })]);
    const { plan, applied } = await runModule(drain, { retry: '20ms' }, targetOf(cluster));
    expect(plan.facts?.blocked).toEqual([]);
    expect(applied?.facts?.evicted).toHaveLength(3);
  });

  test('the opening of a budget is heard of: nobody waits for the next try', async () => {
    api.seed([deployment('web', { nodes: ['agent-1'], replicas: 4 }), pdb('web', { minAvailable: 3 })]);
    const { applied } = await runModule(drain, { retry: '1h' }, targetOf(cluster));
    expect(applied?.facts?.evicted).toHaveLength(4);
  });

  test('without the right to watch budgets the tries alone must do', async () => {
    api.seed([deployment('web', { nodes: ['agent-1'], replicas: 3 }), pdb('web', { minAvailable: 2 })]);
    api.authorize(({ resource }) => (resource === 'poddisruptionbudgets' ? 'no' : undefined));
    const { applied } = await runModule(drain, { retry: '20ms' }, targetOf(cluster));
    expect(applied?.facts?.evicted).toHaveLength(3);
  });

  test('check mode says which pods would have to wait', async () => {
    api.seed([deployment('web', { node: 'agent-1' }), pdb('web', { minAvailable: 1 })]);
    const plan = await planOf(drain, {}, targetOf(cluster));
    expect(plan.changes[1]?.summary).toMatch(
      /^evict default\/web-\S+; not now: the disruption budget web needs 1.*; with one pod it can never allow one$/,
    );
  });

  test('a hard error on one pod is not hidden by a budget that holds another', async () => {
    api.seed([
      deployment('web', { node: 'agent-1' }),
      pdb('web', { minAvailable: 1 }),
      deployment('other', { node: 'agent-1' }),
    ]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, { retry: '20ms', timeout: '20s' }, target);
    const held = Promise.withResolvers<void>();
    api.faults.onRequest = async ({ path }) => {
      if (/\/web-[^/]+\/eviction$/.test(path)) held.resolve();
      else if (/\/other-[^/]+\/eviction$/.test(path)) await held.promise;
      return undefined;
    };
    api.faults.failNext(418, { times: 99, match: ({ path }) => /\/other-[^/]+\/eviction$/.test(path) });
    const failure = (await drain.apply!(plan.next as never, target).catch((error) => error)) as Error;
    expect(failure).toMatchObject({ code: 'drain-failed' });
    expect(failure.message).toMatch(/default\/other-\S+ cannot be evicted/);
    expect(isCordoned()).toBe(false);
  });

  test('disable_eviction bypasses them, loudly', async () => {
    api.seed([deployment('web', { node: 'agent-1' }), pdb('web', { minAvailable: 1 })]);
    const target = targetOf(cluster);
    const { plan, applied } = await runModule(drain, { disable_eviction: true }, target);
    expect(plan.changes[1]?.summary).toMatch(/^delete default\/web-/);
    expect(applied?.facts?.evicted).toHaveLength(1);
    expect(target.warnings).toContainEqual(
      expect.stringMatching(/PodDisruptionBudgets do NOT protect.*default\/web: needs 1/),
    );
  });
});

describe('the cordon', () => {
  test('of an operator survives a failed drain', async () => {
    api.setNode('agent-1', { unschedulable: true });
    api.seed([deployment('web', { node: 'agent-1' }), pdb('web', { minAvailable: 1 })]);
    const target = targetOf(cluster);
    await expect(runModule(drain, { timeout: '1s', retry: '20ms' }, target)).rejects.toThrow('held by the budget');
    expect(isCordoned()).toBe(true);
    expect(target.states).toEqual([]);
  });

  test('is put back after an interruption and past the deadline of the task', async () => {
    api.seed([deployment('web', { node: 'agent-1' }), pdb('web', { minAvailable: 1 })]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, { retry: '20ms' }, target);
    api.faults.onRequest = ({ path, query }) => {
      if (path.endsWith('/eviction') && !query.has('dryRun')) target.abort(new Error('interrupted'));
      return undefined;
    };
    await expect(drain.apply!(plan.next as never, target)).rejects.toThrow('interrupted');
    expect(isCordoned()).toBe(false);
    expect(target.states.at(-1)).toEqual(['agent-1', undefined]);
  });

  test('undo opens the node again', async () => {
    const target = targetOf(cluster);
    const { applied } = await runModule(drain, {}, target);
    await drain.undo!(applied!.undo as never, target);
    expect(isCordoned()).toBe(false);
  });

  test('undo does not open a node that is not Ready', async () => {
    const { applied } = await runModule(drain, {}, targetOf(cluster));
    api.setNode('agent-1', { kubelet: 'stopped', ready: false });
    const target = { ...targetOf(cluster), remaining: () => 300 };
    await expect(drain.undo!(applied!.undo as never, target)).rejects.toMatchObject({
      code: 'not-ready',
      message: expect.stringMatching(/^Node agent-1 .*; it stays cordoned$/),
    });
    expect(isCordoned()).toBe(true);
  });
});

describe('faults', () => {
  test('a replacement of the same name on another node is never evicted', async () => {
    api.seed([statefulset('db', { node: 'agent-1', replicas: 1 }), pdb('db', { maxUnavailable: 1 })]);
    const first = podsOn('agent-1')[0]!.metadata.uid;
    const target = targetOf(cluster);
    const plan = await planOf(drain, { retry: '10ms' }, target);
    // The first answer is lost although it took effect: the request is repeated when the replacement already runs.
    let lost = false;
    api.faults.onRequest = async ({ path, query }) => {
      if (!path.endsWith('/eviction') || query.has('dryRun') || lost) return undefined;
      lost = true;
      api.state.remove('pods', 'db-0', 'default');
      await replaced(first!);
      return 'reset';
    };
    const { facts } = await drain.apply!(plan.next as never, target);
    expect(facts?.evicted).toEqual(['default/db-0']);
    const [replacement] = podsOn('agent-2').concat(podsOn('server-1'));
    expect(replacement?.metadata).toMatchObject({ name: 'db-0' });
    expect(replacement?.metadata.deletionTimestamp).toBeUndefined();
    expect(evictions()).toEqual([]);
  });

  test('the API away in the middle, and cut watches, only delay it', async () => {
    api.seed([deployment('web', { node: 'agent-1', replicas: 4, grace: 60 })]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, { retry: '20ms' }, target);
    let seen = 0;
    let away: Promise<void> | undefined;
    api.faults.onRequest = ({ path, query }) => {
      if (path.endsWith('/eviction') && !query.has('dryRun') && ++seen === 3) {
        away = api.goAway().then(async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          await api.comeBack();
          api.faults.cutWatches();
        });
      }
      return undefined;
    };
    const { facts } = await drain.apply!(plan.next as never, target);
    await away;
    expect(facts?.evicted).toHaveLength(4);
    expect(away).toBeDefined();
    expect(podsOn('agent-1')).toEqual([]);
  });

  test('the API away for good is told, and that the node may be left cordoned', async () => {
    api.seed([deployment('web', { node: 'agent-1' })]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, { timeout: '1s' }, target);
    api.faults.onRequest = ({ path, query }) => {
      if (path.endsWith('/eviction') && !query.has('dryRun')) void api.goAway();
      return undefined;
    };
    const failure = await drain.apply!(plan.next as never, target).catch((error) => error);
    expect(failure).toMatchObject({ code: 'drain-deadline', message: expect.stringMatching(/connection refused$/) });
    expect(target.warnings).toContainEqual(expect.stringMatching(/^agent-1 may be left cordoned: No answer to GET/));
    expect(target.states).toEqual([['agent-1', 'cordoned']]);
  });

  test('an answer of the API that passes is tried again, a 409 is looked into', async () => {
    api.seed([deployment('web', { node: 'agent-1', replicas: 3 })]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, { retry: '10ms' }, target);
    const isEviction = ({ path }: { path: string }) => path.endsWith('/eviction');
    api.faults.failNext(500, { match: isEviction });
    api.faults.failNext(503, { match: isEviction });
    api.faults.failNext(409, { match: isEviction });
    const { facts } = await drain.apply!(plan.next as never, target);
    expect(facts?.evicted).toHaveLength(3);
  });

  test('a pod that never ends is named at the deadline', async () => {
    api.seed([deployment('stuck', { node: 'agent-1', behaviour: { neverTerminates: true } })]);
    const failure = runModule(drain, { timeout: '1500ms' }, targetOf(cluster));
    await expect(failure).rejects.toThrow(/default\/stuck-\S+ is still terminating \(its grace period is 30 s\)/);
    expect(isCordoned()).toBe(false);
  });

  test('a node whose kubelet is gone is the reason that pods stay', async () => {
    api.seed([deployment('web', { node: 'agent-1' })]);
    api.setNode('agent-1', { ready: false, kubelet: 'stopped' });
    await expect(runModule(drain, { timeout: '1500ms' }, targetOf(cluster))).rejects.toMatchObject({
      message: expect.stringMatching(/default\/web-\S+ is still terminating/),
      hint: expect.stringMatching(/^agent-1 is (not Ready|lost).*Its kubelet must come back/),
    });
  });

  test('a pod that has been terminating for long is skipped when told so', async () => {
    const held = { node: 'agent-1', deletedSecondsAgo: 100, finalizers: ['example.com/hold'] };
    api.seed([pod('old', held)]);
    const { plan } = await runModule(drain, { skip_wait_for_delete_timeout: 10 }, targetOf(cluster));
    expect(plan.facts).toMatchObject({ skipped: [{ pod: 'default/old' }], planned: [] });
  });
});

describe('forecast', () => {
  test('names pods bound to the node by a local volume, pods without room, and rivals', async () => {
    const rival = pod('upgrader', { namespace: 'system-upgrade', node: 'server-1' });
    rival.spec.containers[0]!.image = 'docker.io/rancher/system-upgrade-controller:v0.14.2';
    api.seed([
      pvc('data', { node: 'agent-1' }),
      deployment('db', { node: 'agent-1', claim: 'data' }),
      deployment('big', { node: 'agent-1', memory: '64Gi' }),
      deployment('small', { node: 'agent-1', memory: '64Mi' }),
      rival,
    ]);
    const target = targetOf(cluster);
    const plan = await planOf(drain, {}, target);
    expect(plan.facts?.forecast).toMatchObject({
      pinned: [{ pod: expect.stringMatching(/^default\/db-/), claim: 'data' }],
      unplaced: [{ pod: expect.stringMatching(/^default\/big-/) }],
      rivals: [{ name: 'system-upgrade-controller', pod: 'system-upgrade/upgrader' }],
    });
    expect(target.warnings).toHaveLength(3);
  });
});

/** Resolves when `db-0` is another pod than `uid`. */
async function replaced(uid: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = api.state.subscribe(() => {
      const found = api.state.get('pods', 'db-0', 'default');
      if (!found || found.metadata.uid === uid) return;
      stop();
      resolve();
    });
  });
}
