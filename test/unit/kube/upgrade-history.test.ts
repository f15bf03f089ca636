import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { upgradeHistory } from '../../../modules/k3s/upgrade-history.ts';
import { HISTORY_NAME, HISTORY_NAMESPACE, readUpgradeHistory } from '../../../modules/shared/upgrade-history.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { clusterOf, planOf, runModule, targetOf } from './target.ts';

const HOP = { from: 'v1.30.4+k3s1', to: 'v1.31.5+k3s1' };

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const entries = async () => (await readUpgradeHistory(await targetOf(cluster).cluster())).entries;
const stored = () => api.state.get('configmaps', HISTORY_NAME, HISTORY_NAMESPACE);

test('begins an entry, ends it, and then leaves it alone', async () => {
  const target = targetOf(cluster, { runId: 'run-1' });
  expect((await planOf(upgradeHistory, { ...HOP, state: 'started' }, target)).changes).toHaveLength(1);
  expect(stored()).toBeUndefined();
  await runModule(upgradeHistory, { ...HOP, state: 'started' }, target);
  const [begun] = await entries();
  expect(begun).toMatchObject({ run: 'run-1', ...HOP, issues: [] });
  expect(begun).not.toHaveProperty('ended');
  expect((await planOf(upgradeHistory, { ...HOP, state: 'started' }, target)).changes).toEqual([]);

  const issues = ['web was slow', { name: 'claim shop/old', reason: 'Lost' }];
  await runModule(upgradeHistory, { ...HOP, issues }, target);
  const [ended, ...more] = await entries();
  expect(more).toEqual([]);
  expect(ended).toMatchObject({ started: begun!.started, issues: ['web was slow', 'claim shop/old: Lost'] });
  expect(ended!.duration_seconds).toBe(Math.round((Date.parse(ended!.ended!) - Date.parse(begun!.started)) / 100) / 10);
  expect((await planOf(upgradeHistory, HOP, target)).changes).toEqual([]);
});

test('keeps every run, also of two that write at the same moment', async () => {
  const runs = Array.from({ length: 4 }, (_, n) => `run-${n}`);
  await Promise.all(
    runs.map((runId) => runModule(upgradeHistory, HOP, Object.assign(targetOf(cluster, { runId }), { sleep }))),
  );
  expect((await entries()).map(({ run }) => run).sort()).toEqual(runs);
});

test('an upgrade that was rolled back stays in the history and says so', async () => {
  const target = targetOf(cluster);
  const { applied } = await runModule(upgradeHistory, HOP, target);
  await upgradeHistory.undo!(applied!.undo as { run: string }, target);
  expect(await entries()).toMatchObject([{ run: 'run-1', rolled_back: expect.stringMatching(/^\d{4}-/) }]);
});

test('survives lines that somebody has broken, and keeps what else the ConfigMap holds', async () => {
  const target = targetOf(cluster);
  const data = {
    'upgrades.jsonl': '{"run":"old","started":"2026-01-02T03:04:05Z","from":"a","to":"b"}\nnot json\n',
    other: 'kept',
  };
  const metadata = { name: HISTORY_NAME, namespace: HISTORY_NAMESPACE, labels: { team: 'ops' } };
  api.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }]);
  await runModule(upgradeHistory, HOP, target);
  expect((await entries()).map(({ run }) => run)).toEqual(['old', 'run-1']);
  expect(stored()).toMatchObject({ data: { other: 'kept' }, metadata: { labels: { team: 'ops' } } });
});
