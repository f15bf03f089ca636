import { expect, test } from 'vitest';
import { OPENAPI_V2_PROTOBUF } from '../../lab/api/openapi-protobuf.ts';
import { fluxResources } from '../../lab/api/resources.ts';
import { lab, STILL } from './support.ts';

interface ResourceList {
  resources: { name: string; kind: string; group?: string; shortNames?: string[] }[];
}

test('the old way: groups, versions, resources, subresources', async () => {
  const { client } = await lab([], { ...STILL, resources: fluxResources });
  const groups = (await client.send('GET', '/apis')).body as {
    groups: { name: string; preferredVersion: { version: string } }[];
  };
  expect(groups.groups).toContainEqual(
    expect.objectContaining({ name: 'policy', preferredVersion: { groupVersion: 'policy/v1', version: 'v1' } }),
  );
  expect(groups.groups.map(({ name }) => name)).toContain('kustomize.toolkit.fluxcd.io');
  const core = (await client.send('GET', '/api/v1')).body as ResourceList;
  expect(core.resources).toContainEqual(
    expect.objectContaining({ name: 'pods/eviction', kind: 'Eviction', group: 'policy', version: 'v1' }),
  );
  expect(core.resources.find(({ name }) => name === 'nodes')?.shortNames).toEqual(['no']);
  const old = (await client.send('GET', '/apis/policy/v1beta1')).body as ResourceList;
  expect(old.resources.map(({ name }) => name)).toContain('poddisruptionbudgets');
  expect((await client.send('GET', '/apis/none/v1')).code).toBe(404);
});

test('the aggregated way, in the version that was asked for', async () => {
  const { client } = await lab([], STILL);
  for (const version of ['v2', 'v2beta1']) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
    const { body, headers } = await client.send('GET', '/api', undefined, { accept });
    expect(headers['content-type']).toContain(`v=${version}`);
    expect(body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}` });
    expect(JSON.stringify(body)).toContain('"subresource":"eviction"');
  }
});

test('a budget reads the same in both versions of its group', async () => {
  const { client } = await lab([], STILL);
  const path = (version: string) => `/apis/policy/${version}/namespaces/default/poddisruptionbudgets`;
  const body = { metadata: { name: 'x' }, spec: { minAvailable: 1, selector: {} } };
  expect(
    (await client.send('POST', path('v1beta1'), { apiVersion: 'policy/v1beta1', kind: 'PodDisruptionBudget', ...body }))
      .code,
  ).toBe(201);
  for (const version of ['v1', 'v1beta1']) {
    expect((await client.send('GET', `${path(version)}/x`)).body).toMatchObject({
      apiVersion: `policy/${version}`,
      spec: { minAvailable: 1 },
    });
  }
});

test('tables for kubectl get', async () => {
  const { client } = await lab([], STILL);
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const { body } = await client.send('GET', '/api/v1/namespaces?limit=1', undefined, { accept });
  expect(body).toMatchObject({
    kind: 'Table',
    metadata: { continue: expect.any(String) },
    columnDefinitions: [{ name: 'Name', format: 'name' }, { name: 'Status' }, { name: 'Age' }],
    rows: [
      { cells: ['default', 'Active', expect.stringMatching(/^\d+s$/)], object: { kind: 'PartialObjectMetadata' } },
    ],
  });
});

test('openapi: version 3 tells which fields patches take, version 2 comes as protobuf too', async () => {
  const { client } = await lab([], STILL);
  const { body } = await client.send('GET', '/openapi/v3');
  const { paths } = body as { paths: Record<string, { serverRelativeURL: string }> };
  const document = await client.send('GET', paths['apis/apps/v1']!.serverRelativeURL);
  expect(JSON.stringify(document.body)).toContain('fieldValidation');
  const old = await client.send('GET', '/openapi/v2', undefined, { accept: OPENAPI_V2_PROTOBUF });
  expect(old.body).toContain('x-kubernetes-group-version-kind');
});
