import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { large } from '../support/size.ts';
import { upgrade } from './support/run-upgrade.ts';
import { cordonedNodes, versions } from './support/timeline.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.30.8+k3s1';

let lab: Lab;
beforeEach(async () => {
  lab = await startLab({ agents: 1, version: FROM });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await lab.stop();
});

/** What a Prometheus and a chat would get: each request's path and body. */
async function listen() {
  const heard: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    heard.push(`${request.url} ${Buffer.concat(chunks)}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [{ value: [0, '1'] }] } }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, heard, [Symbol.dispose]: () => void server.close().closeAllConnections() };
}

it(
  'asks what people use before the first change and after each node, and tells a chat of the beginning and the end',
  large,
  async () => {
    using world = await listen();
    const { exitCode, text } = await upgrade(lab, {
      version: TO,
      check_queries: JSON.stringify([{ url: world.url, query: 'up{job="db"} == 1' }]),
      check_commands: '["test -e /etc/passwd"]',
      notify_url: `${world.url}/chat`,
      window_end: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect([exitCode, text]).toEqual([0, text]);
    const query = `/api/v1/query query=${encodeURIComponent('up{job="db"} == 1').replaceAll('%20', '+')}`;
    const begins = `/chat {"text":"Upgrade of k3s to ${TO} begins, node by node: server-1 agent-1"}`;
    expect(world.heard).toEqual([query, begins, query, query, `/chat {"text":"Upgrade of k3s to ${TO} is done."}`]);
  },
);

it('tells a chat of an upgrade of agents alone too', large, async () => {
  using world = await listen();
  const { exitCode, text } = await upgrade(lab, { version: TO, notify_url: `${world.url}/chat` }, { limit: 'agents' });
  // Within a minor agents may be ahead.
  expect([exitCode, text]).toEqual([0, text]);
  expect(world.heard).toEqual([
    `/chat {"text":"Upgrade of k3s to ${TO} begins, node by node: agent-1"}`,
    `/chat {"text":"Upgrade of k3s to ${TO} is done."}`,
  ]);
});

it('begins no node that may not be done before the window ends', large, async () => {
  let later = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(performance.timeOrigin + performance.now()) + later);
  const { exitCode, text, tasks } = await upgrade(
    lab,
    { version: TO, window_end: new Date(Date.now() + 3_600_000).toISOString() },
    {
      onEvent: (event) => {
        if (event.type === 'task-ended' && event.host === 'server-1' && event.task.name === 'Open the node again')
          later = 3_300_000;
      },
    },
  );
  expect(exitCode).toBe(2);
  expect(text).toMatch(/failed +agent-1: There is time left for this node/);
  expect(text).toContain('stay as they are');
  expect(tasks.filter((task) => task.startsWith('agent-1 Drain'))).toEqual([]);
  expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'server-1': TO, 'agent-1': FROM }, []]);
});

it('tells a chat of an upgrade that stopped, once, whatever it stopped at', large, async () => {
  using world = await listen();
  const stopped = async (host: string) => {
    world.heard.length = 0;
    const { exitCode, text } = await upgrade(lab, { version: TO, timeout: '5s', notify_url: `${world.url}/chat` });
    expect([exitCode, text]).toEqual([2, text]);
    expect(world.heard.slice(1)).toEqual([expect.stringContaining(`Upgrade of k3s to ${TO} has stopped at ${host}: `)]);
    expect(world.heard[0]).toContain('begins');
  };
  lab.hosts.get('server-1').setKnob('snapshot', 'fail');
  await stopped('server-1');
  lab.hosts.get('server-1').setKnob('snapshot', undefined);
  lab.hosts.get('server-1').setKnob('install', 'fail');
  await stopped('server-1');
  lab.hosts.get('server-1').setKnob('install', undefined);
  lab.api.cluster.behaviour = ({ metadata }) => (metadata.name.startsWith('web') ? { neverReady: true } : {});
  await stopped('agent-1');
});
