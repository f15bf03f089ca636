import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Cluster, openCluster } from '../../../runner/kube/cluster.ts';
import type { ClusterWriter } from '../../../runner/module.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { node, pod } from '../../lab/api/fixtures.ts';
import { clusterOf, QUICK } from './target.ts';

let api: Api;
let cluster: Cluster;
let writer: ClusterWriter;

const scopeOf = (ms = 10_000, signal = new AbortController().signal) => {
  const end = performance.now() + ms;
  const said: string[] = [];
  return { signal, remaining: () => end - performance.now(), progress: (line: string) => void said.push(line), said };
};
const NODE = '/api/v1/nodes/agent-1';

beforeEach(async () => {
  api = await startApi();
  api.seed([node('agent-1')]);
  cluster = clusterOf(api);
  writer = cluster.writer(scopeOf());
  // Opens the way, so that short deadlines below are those of the requests.
  await writer.read({ method: 'GET', path: '/version' });
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

describe('answers and errors that pass', () => {
  test.each([500, 502, 503, 504, 429, 'reset'] as const)('a read gets through %s', async (fault) => {
    // Each 429 asks for a pause of a second.
    api.faults.failNext(fault, { times: fault === 429 ? 1 : 3 });
    expect(await writer.read({ method: 'GET', path: NODE })).toMatchObject({ status: 200, body: { kind: 'Node' } });
  });

  test('a 404 and a 500 that says something else are answers', async () => {
    expect(await writer.read({ method: 'GET', path: '/api/v1/nodes/nobody' })).toMatchObject({ status: 404 });
    api.faults.onRequest = () => undefined;
    api.faults.failNext(418);
    expect(await writer.read({ method: 'GET', path: NODE })).toMatchObject({ status: 418 });
  });

  test('a server that is away is waited for', async () => {
    await api.goAway();
    const asked = writer.read({ method: 'GET', path: NODE });
    await api.comeBack();
    expect((await asked).status).toBe(200);
  });

  test('at the deadline the error names the server, where it is from, and why', async () => {
    await api.goAway();
    const asked = cluster.reader(scopeOf(150)).read({ method: 'GET', path: NODE });
    await expect(asked).rejects.toMatchObject({
      code: 'cluster-unreachable',
      message: `No answer to GET ${NODE} from the API server ${api.url} (from the lab): connection refused`,
      exitCode: 3,
    });
  });

  test('a server that accepts and says nothing is given up after the request’s time limit', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((accept) => silent.once('listening', accept));
    const { port } = silent.address() as { port: number };
    const text = api.kubeconfig({ server: `https://127.0.0.1:${port}` });
    const deaf = openCluster({ kind: 'kubeconfig', text }, QUICK);
    const asked = deaf.reader(scopeOf(200)).read({ method: 'GET', path: NODE, timeout: 50 });
    await expect(asked).rejects.toMatchObject({ code: 'cluster-unreachable', message: /no answer in [\d.]+ s/ });
    silent.close();
  });

  test('an aborted task ends at once with its reason', async () => {
    const controller = new AbortController();
    await api.goAway();
    const asked = cluster.reader(scopeOf(60_000, controller.signal)).read({ method: 'GET', path: NODE });
    controller.abort(new Error('stop'));
    await expect(asked).rejects.toThrow('stop');
  });
});

describe('writes', () => {
  const patch = { method: 'PATCH', path: NODE, body: { metadata: { labels: { a: 'b' } } } } as const;

  test('one that may have been applied is not repeated', async () => {
    api.faults.failNext('reset');
    await expect(writer.write(patch)).rejects.toMatchObject({ code: 'cluster-write-lost' });
    expect(api.mutations).toEqual([]);
    api.faults.failNext(504);
    expect(await writer.write(patch)).toMatchObject({ status: 504 });
    expect(api.mutations).toEqual([]);
  });

  test('an idempotent one is repeated', async () => {
    api.faults.failNext('reset');
    api.faults.failNext(503);
    expect(await writer.write({ ...patch, idempotent: true })).toMatchObject({ status: 200 });
    expect(api.mutations).toHaveLength(1);
  });

  test('one that cannot have arrived is repeated', async () => {
    await api.goAway();
    const asked = writer.write(patch);
    await api.comeBack();
    expect((await asked).status).toBe(200);
  });

  test('429 is waited out, but for evictions, where it is an answer', async () => {
    api.seed([pod('web', { node: 'agent-1' })]);
    api.faults.failNext(429, { times: 2 });
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web', namespace: 'default' } };
    const path = '/api/v1/namespaces/default/pods/web/eviction';
    expect(await writer.write({ method: 'POST', path, body: eviction })).toMatchObject({ status: 429 });
    expect(await writer.write(patch)).toMatchObject({ status: 200 });
  });

  test('a cleanup goes out after the end of its task', async () => {
    const controller = new AbortController();
    controller.abort(new Error('over'));
    const late = cluster.writer(scopeOf(0, controller.signal));
    await expect(late.write(patch)).rejects.toThrow('over');
    expect(await late.write({ ...patch, cleanup: true })).toMatchObject({ status: 200 });
  });

  test('a reader sends dry runs only', async () => {
    expect(() => cluster.reader(scopeOf()).read(patch)).toThrow('only dry runs may be read');
    const tried = await cluster.reader(scopeOf()).read({ ...patch, query: { dryRun: 'All' } });
    expect(tried).toMatchObject({ status: 200 });
    expect(api.mutations).toEqual([]);
  });
});

describe('refusals', () => {
  test('403 says which right is missing', async () => {
    const refusal = 'User "system:admin" cannot patch resource "nodes" in API group "" at the cluster scope';
    api.authorize(({ verb }) => (verb === 'patch' ? refusal : undefined));
    await expect(writer.write({ method: 'PATCH', path: NODE, body: {} })).rejects.toMatchObject({
      code: 'cluster-forbidden',
      message: expect.stringMatching(/^system:admin may not patch nodes in the whole cluster/),
      hint: expect.stringContaining('ClusterRole with apiGroups [""], resources ["nodes"], verbs ["patch"]'),
    });
  });

  test('401 is given a moment and then told, without the token', async () => {
    const text = api.kubeconfig({ auth: 'token' }).replace(api.token, 'wrong-token-of-mine');
    const foreign = openCluster({ kind: 'kubeconfig', text, origin: 'old.yaml' }, QUICK);
    const failure = await foreign
      .reader(scopeOf())
      .read({ method: 'GET', path: NODE })
      .catch((error) => error);
    expect(failure).toMatchObject({ code: 'cluster-unauthorized' });
    expect(failure.message).toContain('not accepted by the API server');
    expect(failure.message + failure.hint).not.toContain('wrong-token');
  });

  test('a 401 that passes, as of a server that starts, is no failure', async () => {
    api.faults.failNext(401, { times: 2 });
    expect((await writer.read({ method: 'GET', path: NODE })).status).toBe(200);
  });

  test('another authority’s certificate is no server to talk to', async () => {
    await using other = await startApi();
    const text = other.kubeconfig({ server: api.url });
    const foreign = openCluster({ kind: 'kubeconfig', text, origin: 'other.yaml' }, QUICK);
    await expect(foreign.reader(scopeOf()).read({ method: 'GET', path: NODE })).rejects.toMatchObject({
      code: 'cluster-tls',
      message: expect.stringContaining(`${api.url} (from other.yaml)`),
      hint: expect.stringContaining('not signed by the authority in the kubeconfig'),
    });
  });

  test('an expired certificate, of the server or ours, is named', async () => {
    // The lab's certificates are good for ten years.
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2001-01-01') });
    const old = await startApi().finally(() => vi.useRealTimers());
    const outdated = openCluster({ kind: 'kubeconfig', text: old.kubeconfig(), origin: 'k3s.yaml' }, QUICK);
    await expect(outdated.reader(scopeOf()).read({ method: 'GET', path: NODE })).rejects.toMatchObject({
      code: 'cluster-tls',
      hint: expect.stringContaining('has expired; k3s renews it'),
    });
    const verified = /certificate-authority-data: \S+/.exec(api.kubeconfig())![0];
    const text = old.kubeconfig({ server: api.url }).replace(/certificate-authority-data: \S+/, verified);
    const stale = openCluster({ kind: 'kubeconfig', text, origin: 'k3s.yaml' }, QUICK);
    await expect(stale.reader(scopeOf()).read({ method: 'GET', path: NODE })).rejects.toMatchObject({
      code: 'cluster-unauthorized',
      message: expect.stringMatching(/\(from k3s.yaml\): the client certificate expired on 20\d\d-/),
    });
    await old.stop();
  });

  test('a name that does not resolve is given up soon', async () => {
    const text = api.kubeconfig({ server: 'https://no-such-host.invalid:6443' });
    const nowhere = openCluster({ kind: 'kubeconfig', text, origin: 'typo.yaml' }, QUICK);
    await expect(nowhere.reader(scopeOf(5_000)).read({ method: 'GET', path: NODE })).rejects.toMatchObject({
      code: 'cluster-unreachable',
      message: expect.stringMatching(/no-such-host.invalid:6443 \(from typo.yaml\)/),
    });
  });

  test('what does not speak TLS is told as that', async () => {
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((accept) => plain.once('listening', accept));
    const { port } = plain.address() as { port: number };
    const text = api.kubeconfig({ server: `https://127.0.0.1:${port}` });
    const wrong = openCluster({ kind: 'kubeconfig', text }, QUICK);
    await expect(wrong.reader(scopeOf(2_000)).read({ method: 'GET', path: NODE })).rejects.toMatchObject({
      code: 'cluster-tls',
      hint: 'Is the port right, and the scheme https?',
    });
    plain.close();
  });
});

describe('lists', () => {
  const names = Array.from({ length: 1_203 }, (_, index) => `p-${String(index).padStart(4, '0')}`);

  test('are read page by page, and again from the start when a page has expired', async () => {
    api.controllers.kubelets = false;
    api.seed(names.map((name) => pod(name, { node: 'agent-1' })));
    const pods = await writer.list('/api/v1/pods');
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(api.requests.filter(({ resource }) => resource === 'pods')).toHaveLength(3);
    api.faults.failNext(410, { match: ({ query }) => query.has('continue') });
    expect(await writer.list('/api/v1/pods')).toHaveLength(names.length);
  });

  test('of an unknown resource are an error', async () => {
    await expect(writer.list('/apis/example.com/v1/things')).rejects.toMatchObject({ code: 'cluster-not-found' });
  });
});
