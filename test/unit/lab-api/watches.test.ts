import { expect, test } from 'vitest';
import type { Client, WatchEvent } from '../../lab/api/client.ts';
import { node, pod } from '../../lab/api/fixtures.ts';
import type { KubeList } from '../../lab/api/lists.ts';
import { lab, STILL } from './support.ts';

/** Reads events until there are that many; the connection is then given up. */
async function events(client: Client, path: string, count: number, act: (seen: number) => void = () => {}) {
  const seen: WatchEvent[] = [];
  for await (const event of client.watch(path)) {
    seen.push(event);
    act(seen.length);
    if (seen.length === count) break;
  }
  return seen.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
}

test('a watch without a revision begins with what is there', async () => {
  const { api, client } = await lab([pod('x'), pod('y')], STILL);
  const seen = await events(client, '/api/v1/pods?watch=true', 3, (count) => {
    if (count === 2) api.state.remove('pods', 'x', 'default');
  });
  expect(seen).toEqual(['ADDED x', 'ADDED y', 'DELETED x']);
});

test('a watch from a list misses nothing in between', async () => {
  const { api, client } = await lab([pod('x')], STILL);
  const { resourceVersion } = ((await client.send('GET', '/api/v1/pods')).body as KubeList).metadata;
  api.seed([pod('y')]);
  api.state.remove('pods', 'x', 'default');
  const seen = await events(client, `/api/v1/pods?watch=1&resourceVersion=${resourceVersion}`, 2);
  expect(seen).toEqual(['ADDED y', 'DELETED x']);
});

test('objects that a selector begins or ceases to match appear and vanish', async () => {
  const { api, client } = await lab([pod('x', { labels: { app: 'a' } }), node('n')], STILL);
  const relabel = (app: string) =>
    api.state.update('pods', 'x', 'default', ({ metadata }) => {
      metadata.labels = { app };
    });
  const seen = await events(client, '/api/v1/namespaces/default/pods?watch=true&labelSelector=app%3Da', 4, (count) => {
    if (count === 1) relabel('b');
    if (count === 2) relabel('c');
    if (count === 2) relabel('a');
    if (count === 3) api.state.remove('pods', 'x', 'default');
  });
  expect(seen).toEqual(['ADDED x', 'DELETED x', 'ADDED x', 'DELETED x']);
});

test('one object is watched by a field selector on its name, as kubectl wait does', async () => {
  const { api, client } = await lab([node('a'), node('b')], STILL);
  const seen = await events(client, '/api/v1/nodes?watch=true&fieldSelector=metadata.name%3Db', 2, (count) => {
    if (count === 1) api.setNode('a', { unschedulable: true });
    if (count === 1) api.setNode('b', { unschedulable: true });
  });
  expect(seen).toEqual(['ADDED b', 'MODIFIED b']);
});

test('a revision that was compacted is gone: an event of type ERROR with 410', async () => {
  const { api, client } = await lab([pod('x')], STILL);
  const revision = api.state.revision;
  api.seed([pod('y')]);
  api.state.compact();
  for await (const event of client.watch(`/api/v1/pods?watch=true&resourceVersion=${revision}`)) {
    expect(event).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  }
});

test('a revision of the future is refused before the stream begins', async () => {
  const { client } = await lab([], STILL);
  const answer = await client.send('GET', '/api/v1/pods?watch=true&resourceVersion=999999');
  expect(answer.body).toMatchObject({ code: 504, message: expect.stringContaining('Too large resource version') });
});

test('a watch list ends its initial events with a marked bookmark', async () => {
  const { client } = await lab([pod('x')], STILL);
  const query = 'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
  const seen: WatchEvent[] = [];
  for await (const event of client.watch(`/api/v1/pods?${query}`)) {
    seen.push(event);
    if (event.type === 'BOOKMARK') break;
  }
  expect(seen).toMatchObject([
    { type: 'ADDED' },
    { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } },
  ]);
});

test('the server ends a watch at its timeout', async () => {
  const { client } = await lab([pod('x')], STILL);
  const seen: string[] = [];
  for await (const { type } of client.watch('/api/v1/pods?watch=true&timeoutSeconds=0')) seen.push(type);
  expect(seen).toEqual(['ADDED']);
});
