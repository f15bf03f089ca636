import { describe, expect, test } from 'vitest';
import { ApiError } from '../../lab/api/api-error.ts';
import { createClient } from '../../lab/api/client.ts';
import { node, pod } from '../../lab/api/fixtures.ts';
import { when } from '../../lab/api/when.ts';
import { lab, podPath, STILL } from './support.ts';

const NODES = '/api/v1/nodes';

test('the next requests fail as planned, then all is well', async () => {
  const { api, client } = await lab([], STILL);
  api.faults.failNext(503, { times: 2, retryAfterSeconds: 1 });
  const answers = [await client.send('GET', NODES), await client.send('GET', NODES), await client.send('GET', NODES)];
  expect(answers.map(({ code }) => code)).toEqual([503, 503, 200]);
  expect(answers[0]?.headers['retry-after']).toBe('1');
  expect(answers[0]?.body).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable', code: 503 });
});

test('only requests that match fail, by an answer or by a cut connection', async () => {
  const { api, client } = await lab([node('a1')], STILL);
  api.faults.failNext(500, { match: ({ method }) => method === 'PATCH' });
  api.faults.failNext('reset', { match: ({ path }) => path === '/api/v1/pods' });
  expect((await client.send('GET', NODES)).code).toBe(200);
  const merge = { 'content-type': 'application/merge-patch+json' };
  expect((await client.send('PATCH', `${NODES}/a1`, { spec: { unschedulable: true } }, merge)).code).toBe(500);
  expect(api.mutations).toEqual([]);
  await expect(client.send('GET', '/api/v1/pods')).rejects.toThrow();
  expect((await client.send('GET', '/api/v1/pods')).code).toBe(200);
});

test('a request that hangs has no answer until its connection ends', async () => {
  const { api, client } = await lab([node('a1')], STILL);
  api.faults.failNext('hang', { match: ({ path }) => path === NODES });
  let outcome = 'waiting';
  const hanging = client.send('GET', NODES).then(
    () => {
      outcome = 'answered';
    },
    () => {
      outcome = 'cut';
    },
  );
  expect((await client.send('GET', '/api/v1/pods')).code).toBe(200);
  expect(outcome).toBe('waiting');
  await api.goAway();
  await hanging;
  expect(outcome).toBe('cut');
});

test('a hook sees every request and may refuse it', async () => {
  const { api, client } = await lab([], STILL);
  const seen: string[] = [];
  api.faults.onRequest = ({ method, path }) => {
    seen.push(`${method} ${path}`);
    return path === '/api/v1/pods' ? new ApiError(418, 'Teapot', 'no pods today') : undefined;
  };
  await client.send('GET', NODES);
  expect((await client.send('GET', '/api/v1/pods')).body).toMatchObject({ code: 418, message: 'no pods today' });
  expect(seen).toEqual([`GET ${NODES}`, 'GET /api/v1/pods']);
  api.faults.clear();
  expect((await client.send('GET', '/api/v1/pods')).code).toBe(200);
});

test('watches can be cut while the API goes on', async () => {
  const { api, client } = await lab([pod('x')], STILL);
  const types: string[] = [];
  const reading = (async () => {
    for await (const { type } of client.watch('/api/v1/pods?watch=true')) {
      types.push(type);
      api.faults.cutWatches();
    }
  })();
  await expect(reading).rejects.toThrow();
  expect(types).toEqual(['ADDED']);
  expect((await client.send('GET', '/api/v1/pods')).code).toBe(200);
});

describe('an API that goes away', () => {
  test('refuses connections, and is back on the same port as another version', async () => {
    const { api, client } = await lab([node('a1')], STILL);
    const { port } = api;
    await api.goAway();
    await expect(client.send('GET', NODES)).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await api.comeBack({ version: 'v1.32.1+k3s1' });
    expect(api.port).toBe(port);
    expect((await client.send('GET', '/version')).body).toMatchObject({ gitVersion: 'v1.32.1+k3s1' });
    expect((await client.send('GET', NODES)).code).toBe(200);
  });

  test('while a request waits: the request has no effect', async () => {
    const { api, client } = await lab([node('a1')], STILL);
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<undefined>();
    api.faults.onRequest = () => {
      arrived.resolve();
      return goOn.promise;
    };
    const merge = { 'content-type': 'application/merge-patch+json' };
    const patch = client.send('PATCH', `${NODES}/a1`, { spec: { unschedulable: true } }, merge);
    const refused = expect(patch).rejects.toThrow();
    await arrived.promise;
    await api.goAway();
    await refused;
    goOn.resolve(undefined);
    await api.comeBack();
    api.faults.clear();
    expect((await client.send('GET', `${NODES}/a1`)).body).not.toHaveProperty('spec.unschedulable');
    expect(api.mutations).toEqual([]);
  });

  test('ends open watches', async () => {
    const { api, client } = await lab([pod('x')], STILL);
    const reading = (async () => {
      for await (const _ of client.watch('/api/v1/pods?watch=true')) void api.goAway();
    })();
    await expect(reading).rejects.toThrow();
  });

  test('freezes the cluster: what was going to happen happens after the return', async () => {
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1' })]);
    await client.send('DELETE', podPath('x'));
    await api.goAway();
    expect(api.cluster.clock.paused).toBe(true);
    await api.comeBack();
    await when(api.state, 'gone', () => !api.state.get('pods', 'x', 'default'));
  });

  test('of several servers only one may be away', async () => {
    const { api, client } = await lab([node('a1')], STILL);
    const second = await api.addServer({ name: 'second', version: 'v1.30.9+k3s1' });
    const other = createClient(api.kubeconfig({ server: second.url }));
    try {
      await api.goAway();
      await expect(client.send('GET', NODES)).rejects.toThrow();
      expect((await other.send('GET', NODES)).code).toBe(200);
      expect((await other.send('GET', '/version')).body).toMatchObject({ gitVersion: 'v1.30.9+k3s1' });
      expect(api.requests.at(-1)).toMatchObject({ server: 'second' });
      await api.goAway('second');
      await expect(other.send('GET', NODES)).rejects.toThrow();
      await api.comeBack({ name: 'second' });
      expect((await other.send('GET', '/readyz')).body).toBe('ok');
    } finally {
      other.close();
    }
  });
});
