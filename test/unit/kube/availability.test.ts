import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Availability } from '../../../runner/kube/availability.ts';
import { openCluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';

const INTERVAL = 25;

let api: Api;
let told: Availability[];
let stop: () => Promise<void>;
let close: () => void;

beforeEach(async () => {
  api = await startApi();
  told = [];
});
afterEach(async () => {
  await stop();
  close();
  await api.stop();
});

function watch(access: Parameters<typeof openCluster>[0]): void {
  const cluster = openCluster(access);
  close = cluster.close;
  stop = cluster.watch((one) => void told.push(one), INTERVAL);
}
const kubeconfig = () => ({ kind: 'kubeconfig' as const, text: api.kubeconfig() });
const types = () => told.map(({ type }) => type);
/** Resolves when so much has been told. */
const until = (count: number) =>
  expect.poll(() => told.length, { interval: 5, timeout: 60_000 }).toBeGreaterThanOrEqual(count);

test('tells who is asked, then only when that changes', async () => {
  watch(kubeconfig());
  await until(1);
  expect(told[0]).toMatchObject({ type: 'api-watched', server: api.url, via: 'kubeconfig', interval: INTERVAL });
  await api.goAway();
  await until(2);
  await api.comeBack();
  await until(3);
  expect(types()).toEqual(['api-watched', 'api-unavailable', 'api-available']);
  const [absence] = api.server.absences;
  const gap = told[2] as Extract<Availability, { type: 'api-available' }>;
  expect(told[1]).toMatchObject({ from: gap.from, detail: expect.stringMatching(/refused|cut/) });
  // It began while the server was away, or with the question that was under way when it left, and ended after its return.
  expect(Date.parse(gap.from)).toBeLessThanOrEqual(absence!.until!);
  expect(Date.parse(gap.until)).toBeGreaterThanOrEqual(absence!.from);
  expect(Math.abs(gap.duration - (Date.parse(gap.until) - Date.parse(gap.from)))).toBeLessThanOrEqual(2);
});

test('a server that is there and not ready does not answer; one that only does not tell us does', async () => {
  watch(kubeconfig());
  await until(1);
  api.server.ready = false;
  await until(2);
  expect(told[1]).toMatchObject({ type: 'api-unavailable', detail: expect.stringMatching(/^500: /) });
  api.server.ready = true;
  await until(3);
});

test('opens no first connection to a host, and asks it from then on', async () => {
  let connected = false;
  let opened = 0;
  const host = {
    ...{ kind: 'host' as const, name: 'server-1', connected: () => connected },
    run: async () => {
      opened++;
      const raw = { stdout: Buffer.of(), stderr: Buffer.of() };
      return { code: 1, stdout: '', stderr: '', raw, timedOut: false };
    },
    forward: async () => Promise.reject(new Error('not here')),
  };
  watch([host, kubeconfig()]);
  await until(1);
  // The other way has been asked, so this one had its turn too.
  expect(opened).toBe(0);
  connected = true;
  await expect.poll(() => opened, { interval: 5, timeout: 60_000 }).toBeGreaterThan(1);
  // What cannot be opened is no API server that is away.
  expect(types()).toEqual(['api-watched']);
});

test('nothing is told after its end', async () => {
  watch(kubeconfig());
  await until(1);
  await stop();
  await api.goAway();
  expect(types()).toEqual(['api-watched']);
});
