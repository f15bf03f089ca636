import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openCluster } from '../../../runner/kube/cluster.ts';
import { QUICK } from './target.ts';

/** What a server would hardly do on demand: a server of scripted answers, one watch after another. */
let server: Server | undefined;
let lists = 0;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  lists = 0;
});

type Watch = (response: ServerResponse, version: string) => void;

async function waitFor(names: string[], watches: Watch[]): Promise<string[]> {
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    response.setHeader('Content-Type', 'application/json');
    if (url.searchParams.has('watch')) {
      response.flushHeaders();
      watches.shift()?.(response, url.searchParams.get('resourceVersion')!);
      return;
    }
    lists += 1;
    const items = lists === 1 ? [] : [thing('listed')];
    response.end(JSON.stringify({ metadata: { resourceVersion: `${lists * 100}` }, items }));
  });
  await new Promise<void>((accept) => server!.listen(0, '127.0.0.1', accept));
  const { port } = server.address() as { port: number };
  const text = stringify({
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  const cluster = openCluster({ kind: 'kubeconfig', text }, { ...QUICK, watch: 200 });
  const scope = { signal: new AbortController().signal, remaining: () => 20_000 };
  try {
    return await cluster.reader(scope).until(
      { path: '/api/v1/things' },
      (objects) => {
        const found = objects.map(({ metadata }) => metadata.name);
        return names.every((name) => found.includes(name)) ? found : undefined;
      },
      20_000,
    );
  } finally {
    cluster.close();
  }
}

const thing = (name: string, resourceVersion = '1') => ({ metadata: { name, resourceVersion } });
const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

test('events in pieces, several at once and cut within a letter', async () => {
  const bytes = Buffer.from(event('ADDED', thing('a')) + event('ADDED', thing('ö')));
  const middle = bytes.indexOf(0xc3) + 1;
  const found = await waitFor(
    ['a', 'ö'],
    [
      (response) => {
        response.write(bytes.subarray(0, 5));
        response.write(bytes.subarray(5, middle));
        response.write(bytes.subarray(middle));
      },
    ],
  );
  expect(found).toEqual(['a', 'ö']);
});

test('an error event (410) within the watch means a new list', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', metadata: {} };
  expect(await waitFor(['listed'], [(response) => response.write(event('ERROR', status))])).toEqual(['listed']);
  expect(lists).toBe(2);
});

test('a watch that is silent beyond its time is dead: a new list', async () => {
  expect(await waitFor(['listed'], [() => undefined])).toEqual(['listed']);
});

test('bookmarks move the version from which the next watch starts', async () => {
  let from = '';
  const bookmark = { metadata: { resourceVersion: '77' } };
  await waitFor(
    ['b'],
    [
      (response) => response.end(event('BOOKMARK', bookmark)),
      (response, version) => {
        from = version;
        response.write(event('ADDED', thing('b', '78')));
      },
    ],
  );
  expect(from).toBe('77');
  expect(lists).toBe(1);
});

test('what is no JSON means a new list', async () => {
  expect(await waitFor(['listed'], [(response) => response.write('upstream connect error\n')])).toEqual(['listed']);
});
