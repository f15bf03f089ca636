import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import type { KubeObject } from '../../../runner/module.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { node, pod } from '../../lab/api/fixtures.ts';
import { clusterOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi({ controllers: { kubelets: false, nodes: false } });
  api.seed([node('agent-1')]);
  cluster = clusterOf(api);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const PODS = { path: '/api/v1/pods', what: 'the pods' };
const named = (objects: KubeObject[]) => objects.map(({ metadata }) => metadata.name).sort();

function waitFor<T>(inspect: (objects: KubeObject[]) => T | undefined, timeout = 10_000, more: object = {}) {
  const scope = { signal: new AbortController().signal, remaining: () => 60_000 };
  return cluster.reader(scope).until({ ...PODS, ...more }, inspect, timeout);
}

/** Runs each step when the objects look like it says, and ends after the last. */
function steps(...todo: [seen: string[], then: () => void][]) {
  return (objects: KubeObject[]) => {
    const [next] = todo;
    if (!next || String(named(objects)) !== String(next[0])) return undefined;
    todo.shift();
    next[1]();
    return todo.length === 0 ? named(objects) : undefined;
  };
}

const add = (name: string) => () => api.seed([pod(name, { node: 'agent-1' })]);

test('sees what is there, what comes and what goes', async () => {
  const inspect = steps(
    [[], add('a')],
    [['a'], add('b')],
    [['a', 'b'], () => api.state.remove('pods', 'a', 'default')],
    [['b'], () => undefined],
  );
  expect(await waitFor(inspect)).toEqual(['b']);
  expect(api.requests.filter(({ verb }) => verb === 'list')).toHaveLength(1);
});

test('goes on after cut watches, lost changes and an API that was away', async () => {
  const inspect = steps(
    [
      [],
      () => {
        add('a')();
        api.faults.cutWatches();
      },
    ],
    [
      ['a'],
      () => {
        api.state.remove('pods', 'a', 'default');
        void api.goAway().then(() => {
          add('b')();
          return api.comeBack();
        });
      },
    ],
    [['b'], () => undefined],
  );
  expect(await waitFor(inspect)).toEqual(['b']);
});

test('lists again when the version is too old', async () => {
  let gone = 0;
  api.faults.failNext(410, { match: ({ query }) => query.has('watch') && ++gone > 0 });
  const inspect = steps([[], add('a')], [['a'], () => undefined]);
  expect(await waitFor(inspect)).toEqual(['a']);
  expect(gone).toBeGreaterThan(0);
  expect(api.requests.filter(({ verb }) => verb === 'list').length).toBeGreaterThan(1);
});

test('a watch that the server ends in peace is taken up where it ended', async () => {
  cluster.close();
  cluster = clusterOf(api, { pause: 5, pauseLimit: 10, watch: 1_000 });
  let watches = 0;
  api.faults.onRequest = ({ query }) => {
    if (query.has('watch') && ++watches === 2) add('a')();
    return undefined;
  };
  expect(await waitFor((objects) => (objects.length > 0 ? true : undefined))).toBe(true);
  expect(watches).toBe(2);
  expect(api.requests.filter(({ verb }) => verb === 'list')).toHaveLength(1);
});

test('at the deadline it says what it waited for', async () => {
  await expect(waitFor(() => undefined, 300)).rejects.toMatchObject({
    code: 'deadline',
    message: expect.stringMatching(/^Waited \d+(\.\d)? s for the pods, in vain$/),
  });
});

test('at the deadline it says that the API was away', async () => {
  await api.goAway();
  await expect(waitFor(() => undefined, 500)).rejects.toMatchObject({
    code: 'deadline',
    message: expect.stringMatching(/in vain: No answer to GET .*connection refused/),
    cause: expect.objectContaining({ code: 'cluster-unreachable' }),
  });
});

test('what inspect throws ends the wait', async () => {
  const inspect = (objects: KubeObject[]) => {
    if (objects.length > 0) throw new Error('not these');
    add('a')();
    return undefined;
  };
  await expect(waitFor(inspect)).rejects.toThrow('not these');
});
