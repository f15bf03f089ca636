import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../lab/api/certificates.ts';
import { createClient } from '../../lab/api/client.ts';
import { node, pdb, pod, statefulset } from '../../lab/api/fixtures.ts';
import type { KubeList } from '../../lab/api/lists.ts';
import { longhornResources } from '../../lab/api/resources.ts';
import { asObject, asStatus, lab, podPath, STILL } from './support.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

describe('reading', () => {
  test('get, and what is not there', async () => {
    const { client } = await lab([node('a1')], STILL);
    const found = await client.send('GET', '/api/v1/nodes/a1');
    expect(asObject(found.body).metadata).toMatchObject({
      name: 'a1',
      resourceVersion: expect.stringMatching(/^\d+$/),
    });
    const missing = await client.send('GET', '/api/v1/nodes/b');
    expect(missing.code).toBe(404);
    expect(missing.body).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      message: 'nodes "b" not found',
      details: { name: 'b', kind: 'nodes' },
    });
    expect((await client.send('GET', '/api/v1/unknown')).code).toBe(404);
  });

  test('lists select, and items of built-in kinds come without their type', async () => {
    const { client } = await lab(
      [node('a1'), pod('x', { node: 'a1' }), pod('y', { node: 'a2', labels: { app: 'q' } })],
      STILL,
    );
    const names = async (query: string) =>
      ((await client.send('GET', `/api/v1/pods?${query}`)).body as KubeList).items.map(({ metadata }) => metadata.name);
    expect(await names('')).toEqual(['x', 'y']);
    expect(await names('fieldSelector=spec.nodeName%3Da1')).toEqual(['x']);
    expect(await names('labelSelector=app%3Dq')).toEqual(['y']);
    const list = (await client.send('GET', '/api/v1/namespaces/default/pods')).body as KubeList;
    expect(list.kind).toBe('PodList');
    expect(list.items[0]).not.toHaveProperty('kind');
    expect((await client.send('GET', '/api/v1/pods?fieldSelector=spec.containers%3Dx')).code).toBe(400);
  });

  test('pages follow each other and a compacted token is gone', async () => {
    const { api, client } = await lab(
      ['a', 'b', 'c', 'd', 'e'].map((name) => pod(name)),
      STILL,
    );
    const page = async (token?: string) =>
      (await client.send('GET', `/api/v1/pods?limit=2${token ? `&continue=${token}` : ''}`)).body as KubeList;
    const first = await page();
    const second = await page(first.metadata.continue);
    const third = await page(second.metadata.continue);
    const names = [first, second, third].flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(first.metadata.remainingItemCount).toBe(3);
    expect(third.metadata.continue).toBeUndefined();
    api.state.update('pods', 'a', 'default', ({ metadata }) => {
      metadata.labels = { changed: 'yes' };
    });
    api.state.compact();
    expect(await page(first.metadata.continue)).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test('custom resources that the API was given, two groups with one plural', async () => {
    const { client } = await lab(
      [
        node('a1'),
        { apiVersion: 'longhorn.io/v1beta2', kind: 'Node', metadata: { name: 'lh', namespace: 'longhorn-system' } },
      ],
      { ...STILL, resources: longhornResources },
    );
    const list = (await client.send('GET', '/apis/longhorn.io/v1beta2/nodes')).body as KubeList;
    expect(list.items).toMatchObject([{ kind: 'Node', apiVersion: 'longhorn.io/v1beta2', metadata: { name: 'lh' } }]);
    expect(((await client.send('GET', '/api/v1/nodes')).body as KubeList).items).toHaveLength(1);
  });
});

describe('writing', () => {
  test('create fills in, refuses a second, a wrong name and a missing namespace', async () => {
    const { client } = await lab([], STILL);
    const created = await client.send('POST', configMaps, configMap('one', { a: 'b' }));
    expect(created.code).toBe(201);
    expect(asObject(created.body).metadata).toMatchObject({
      namespace: 'default',
      uid: expect.any(String),
      creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const again = await client.send('POST', configMaps, configMap('one'));
    expect(again.body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "one" already exists',
    });
    const wrong = await client.send('POST', configMaps, configMap('Not_A_Name'));
    expect(wrong.code).toBe(422);
    expect(asStatus(wrong.body).details?.causes).toMatchObject([
      { reason: 'FieldValueInvalid', field: 'metadata.name' },
    ]);
    const nowhere = await client.send('POST', '/api/v1/namespaces/nowhere/configmaps', configMap('one'));
    expect(nowhere.body).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  test('generateName makes different names', async () => {
    const { client } = await lab([], STILL);
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } };
    const names = await Promise.all(
      [1, 2].map(async () => asObject((await client.send('POST', configMaps, body)).body).metadata.name),
    );
    expect(new Set(names).size).toBe(2);
    expect(names[0]).toMatch(/^x-[a-z0-9]{5}$/);
  });

  test('an update with an old resourceVersion conflicts', async () => {
    const { client } = await lab([], STILL);
    const { body } = await client.send('POST', configMaps, configMap('one', { a: '1' }));
    const first = await client.send('PUT', `${configMaps}/one`, { ...asObject(body), data: { a: '2' } });
    expect(first.code).toBe(200);
    const second = await client.send('PUT', `${configMaps}/one`, { ...asObject(body), data: { a: '3' } });
    expect(second.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  test('a patch that carries a resourceVersion conflicts when that is old', async () => {
    const { client } = await lab([], STILL);
    const { body } = await client.send('POST', configMaps, configMap('one'));
    const { resourceVersion } = asObject(body).metadata;
    const merge = { 'content-type': 'application/merge-patch+json' };
    const patch = (a: string) =>
      client.send('PATCH', `${configMaps}/one`, { metadata: { resourceVersion }, data: { a } }, merge);
    expect((await patch('1')).code).toBe(200);
    expect((await patch('2')).body).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  test('an update that changes nothing makes no new version', async () => {
    const { client } = await lab([], STILL);
    const { body } = await client.send('POST', configMaps, configMap('one', { a: '1' }));
    const same = await client.send('PUT', `${configMaps}/one`, body);
    expect(asObject(same.body).metadata.resourceVersion).toBe(asObject(body).metadata.resourceVersion);
  });

  test('spec and status are written apart, and only a new spec counts as a generation', async () => {
    const { api, client } = await lab([pdb('web', { minAvailable: 1 })], {
      controllers: { ...STILL.controllers, budgets: false },
    });
    const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets/web';
    const merge = { 'content-type': 'application/merge-patch+json' };
    await client.send('PATCH', path, { spec: { minAvailable: 2 }, status: { disruptionsAllowed: 7 } }, merge);
    expect(api.state.get('poddisruptionbudgets', 'web', 'default')).toMatchObject({
      metadata: { generation: 2 },
      spec: { minAvailable: 2 },
    });
    expect(api.state.get('poddisruptionbudgets', 'web', 'default')?.status).toBeUndefined();
    await client.send(
      'PATCH',
      `${path}/status`,
      { spec: { minAvailable: 9 }, status: { disruptionsAllowed: 7 } },
      merge,
    );
    expect(api.state.get('poddisruptionbudgets', 'web', 'default')).toMatchObject({
      metadata: { generation: 2 },
      spec: { minAvailable: 2 },
      status: { disruptionsAllowed: 7 },
    });
  });

  test('the patch dialects, and the one that custom resources do not take', async () => {
    const { client } = await lab([node('a1')], STILL);
    const send = (type: string, body: unknown, path = '/api/v1/nodes/a1') =>
      client.send('PATCH', path, body, { 'content-type': type });
    const strategic = await send('application/strategic-merge-patch+json', { spec: { unschedulable: true } });
    expect(strategic.body).toMatchObject({
      spec: { unschedulable: true },
      status: { nodeInfo: { osImage: expect.any(String) } },
    });
    const json = await send('application/json-patch+json', [{ op: 'remove', path: '/spec/unschedulable' }]);
    expect(asObject(json.body).spec).not.toHaveProperty('unschedulable');
    const applied = await send(
      'application/apply-patch+yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {a: b}\n',
      `${configMaps}/made?fieldManager=test&force=true`,
    );
    expect(applied.code).toBe(201);
    const unknown = await send('application/x-patch', {});
    expect(unknown.code).toBe(415);
    await client.send('POST', '/apis/k3s.cattle.io/v1/etcdsnapshotfiles', { metadata: { name: 's' } });
    const custom = await send(
      'application/strategic-merge-patch+json',
      {},
      '/apis/k3s.cattle.io/v1/etcdsnapshotfiles/s',
    );
    expect(custom.code).toBe(415);
  });

  test('delete answers with a status, minds preconditions, and waits for finalizers', async () => {
    const { client } = await lab([], STILL);
    await client.send('POST', configMaps, configMap('one'));
    const wrong = await client.send('DELETE', `${configMaps}/one`, { preconditions: { uid: 'other' } });
    expect(wrong.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining('Precondition failed: UID in precondition: other'),
    });
    expect((await client.send('DELETE', `${configMaps}/one`)).body).toMatchObject({
      status: 'Success',
      details: { name: 'one' },
    });
    expect((await client.send('GET', `${configMaps}/one`)).code).toBe(404);
    await client.send('POST', configMaps, { ...configMap('two'), metadata: { name: 'two', finalizers: ['a/b'] } });
    await client.send('DELETE', `${configMaps}/two`);
    const held = await client.send('GET', `${configMaps}/two`);
    expect(asObject(held.body).metadata.deletionTimestamp).toBeDefined();
    const merge = { 'content-type': 'application/merge-patch+json' };
    await client.send('PATCH', `${configMaps}/two`, { metadata: { finalizers: null } }, merge);
    expect((await client.send('GET', `${configMaps}/two`)).code).toBe(404);
  });

  test('dry runs of every verb leave the state as it was', async () => {
    const { api, client } = await lab([node('a1'), pod('x', { node: 'a1' }), statefulset('db')], STILL);
    const before = api.state.revision;
    const merge = { 'content-type': 'application/merge-patch+json' };
    const answers = [
      await client.send('POST', `${configMaps}?dryRun=All`, configMap('one')),
      await client.send('PATCH', '/api/v1/nodes/a1?dryRun=All', { spec: { unschedulable: true } }, merge),
      await client.send('DELETE', `${podPath('x')}?dryRun=All`),
      await client.send('DELETE', podPath('x'), { dryRun: ['All'] }),
      await client.send('DELETE', '/api/v1/namespaces/default/pods?dryRun=All'),
      await client.send(
        'PATCH',
        '/apis/apps/v1/namespaces/default/statefulsets/db/scale?dryRun=All',
        { spec: { replicas: 5 } },
        merge,
      ),
    ];
    expect(answers.map(({ code }) => code)).toEqual([201, 200, 200, 200, 200, 200]);
    expect(answers[1]?.body).toMatchObject({ spec: { unschedulable: true } });
    expect(api.state.revision).toBe(before);
    expect(api.writeLog.map(({ dryRun }) => dryRun)).toEqual(Array(6).fill(true));
    expect(api.mutations).toEqual([]);
    expect((await client.send('DELETE', `${podPath('x')}?dryRun=Some`)).code).toBe(400);
  });

  test('scale is a resource of its own', async () => {
    const { client } = await lab([statefulset('db', { replicas: 2 })], STILL);
    const path = '/apis/apps/v1/namespaces/default/statefulsets/db';
    expect((await client.send('GET', `${path}/scale`)).body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } });
    const merge = { 'content-type': 'application/merge-patch+json' };
    await client.send('PATCH', `${path}/scale`, { spec: { replicas: 3 } }, merge);
    expect((await client.send('GET', path)).body).toMatchObject({ spec: { replicas: 3 } });
  });

  test('the log names method, path, user agent and what was refused', async () => {
    const { api, client } = await lab([], STILL);
    await client.send('POST', configMaps, configMap('one'), { 'user-agent': 'a-test' });
    await client.send('POST', configMaps, configMap('one'));
    expect(api.mutations).toMatchObject([
      {
        method: 'POST',
        path: configMaps,
        verb: 'create',
        resource: 'configmaps',
        userAgent: 'a-test',
        user: 'system:admin',
        code: 201,
      },
    ]);
    expect(api.requests.at(-1)).toMatchObject({ code: 409, message: 'configmaps "one" already exists' });
  });
});

describe('who may ask', () => {
  test('a token or a certificate, nothing else, for health paths too', async () => {
    const { api } = await lab([], STILL);
    const byToken = createClient(api.kubeconfig({ auth: 'token' }));
    const stranger = createAuthority('k3s-server-ca').issueClient('system:admin', 'system:masters');
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const own = api.kubeconfig();
    const byStranger = createClient(
      own.replace(base64(api.clientCert), base64(stranger.cert)).replace(base64(api.clientKey), base64(stranger.key)),
    );
    const byWrongToken = createClient(api.kubeconfig({ auth: 'token' }).replace(api.token, 'wrong'));
    try {
      expect((await byToken.send('GET', '/api/v1/nodes')).code).toBe(200);
      expect((await byWrongToken.send('GET', '/api/v1/nodes')).body).toMatchObject({
        code: 401,
        reason: 'Unauthorized',
      });
      expect((await byStranger.send('GET', '/api/v1/nodes')).code).toBe(401);
      expect((await byWrongToken.send('GET', '/readyz')).code).toBe(401);
      expect((await byWrongToken.send('GET', '/ping')).body).toBe('pong');
    } finally {
      byToken.close();
      byWrongToken.close();
      byStranger.close();
    }
  });

  test('what the rule forbids is refused, and reviews know it beforehand', async () => {
    const { api, client } = await lab([node('a1')], STILL);
    api.authorize(({ verb, resource }) =>
      verb === 'patch' && resource === 'nodes' ? 'User "reader" cannot patch' : undefined,
    );
    const refused = await client.send(
      'PATCH',
      '/api/v1/nodes/a1',
      {},
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(refused.body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'nodes "a1" is forbidden: User "reader" cannot patch',
    });
    const review = (verb: string) =>
      client.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb, resource: 'nodes' } },
      });
    expect((await review('patch')).body).toMatchObject({ status: { allowed: false } });
    expect((await review('get')).body).toMatchObject({ status: { allowed: true } });
    expect(api.writeLog).toEqual([]);
  });

  test('health and version', async () => {
    const { api, client } = await lab([], { ...STILL, version: 'v1.32.1+k3s1' });
    expect((await client.send('GET', '/readyz')).body).toBe('ok');
    expect((await client.send('GET', '/readyz?verbose')).body).toContain('[+]etcd ok');
    api.server.ready = false;
    expect(await client.send('GET', '/readyz')).toMatchObject({
      code: 500,
      body: expect.stringContaining('readyz check failed'),
    });
    expect((await client.send('GET', '/livez')).code).toBe(200);
    expect((await client.send('GET', '/version')).body).toMatchObject({
      major: '1',
      minor: '32',
      gitVersion: 'v1.32.1+k3s1',
    });
  });
});
