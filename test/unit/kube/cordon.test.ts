import { afterEach, beforeEach, expect, test } from 'vitest';
import { cordon } from '../../../modules/kubernetes/cordon.ts';
import { drain } from '../../../modules/kubernetes/drain.ts';
import type { Cluster } from '../../../runner/kube/cluster.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { node } from '../../lab/api/fixtures.ts';
import { clusterOf, planOf, runModule, targetOf } from './target.ts';

let api: Api;
let cluster: Cluster;

beforeEach(async () => {
  api = await startApi();
  cluster = clusterOf(api);
  api.seed([node('agent-1'), node('agent-2', { unschedulable: true })]);
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const agent = (name = 'agent-1') => api.state.get('nodes', name)!;
const annotations = (name?: string) => agent(name).metadata.annotations ?? {};
const isCordoned = (name?: string) => (agent(name).spec as { unschedulable?: boolean }).unschedulable === true;

test('cordons with the mark of the run, after saying so, and once only', async () => {
  const target = targetOf(cluster);
  const { plan, applied } = await runModule(cordon, {}, target);
  expect(plan.changes).toEqual([{ summary: 'agent-1: cordoned', before: 'uncordoned', after: 'cordoned' }]);
  expect(isCordoned()).toBe(true);
  expect(annotations()['reeve.dev/cordoned-by']).toBe('run-1');
  expect(target.states).toEqual([['agent-1', 'cordoned']]);
  expect(applied?.facts).toMatchObject({ cordoned: true, own: true, was_cordoned: false });
  expect((await planOf(cordon, {}, target)).changes).toEqual([]);
});

test('planning writes nothing', async () => {
  await planOf(cordon, {}, targetOf(cluster));
  expect(api.writeLog).toEqual([]);
});

test('an operator’s cordon is left as it is, and stays with only_own', async () => {
  const target = targetOf(cluster, { nodeName: 'agent-2' });
  expect((await planOf(cordon, {}, target)).changes).toEqual([]);
  const kept = await planOf(cordon, { state: 'uncordoned', only_own: true }, target);
  expect(kept).toMatchObject({ changes: [], message: 'agent-2 was cordoned by an operator and stays so' });
  await runModule(cordon, { state: 'uncordoned' }, target);
  expect(isCordoned('agent-2')).toBe(false);
});

test('a later run uncordons what an earlier one cordoned, and removes the mark', async () => {
  await runModule(cordon, {}, targetOf(cluster, { runId: 'run-1' }));
  const later = targetOf(cluster, { runId: 'run-2' });
  await runModule(cordon, { state: 'uncordoned', only_own: true }, later);
  expect(isCordoned()).toBe(false);
  expect(annotations()).not.toHaveProperty('reeve.dev/cordoned-by');
  expect(later.states).toEqual([['agent-1', undefined]]);
});

test('what a person cordons or drains by hand is that person’s, and stays', async () => {
  await runModule(cordon, {}, targetOf(cluster, { byHand: true }));
  expect([isCordoned(), annotations()['reeve.dev/cordoned-by']]).toEqual([true, undefined]);
  await runModule(cordon, { state: 'uncordoned' }, targetOf(cluster));
  await runModule(drain, {}, targetOf(cluster, { byHand: true }));
  expect([isCordoned(), annotations()['reeve.dev/cordoned-by']]).toEqual([true, undefined]);
  const kept = await planOf(cordon, { state: 'uncordoned', only_own: true }, targetOf(cluster, { runId: 'run-2' }));
  expect(kept).toMatchObject({ changes: [], message: 'agent-1 was cordoned by an operator and stays so' });
});

test('undo puts back what was found', async () => {
  const target = targetOf(cluster);
  const { applied } = await runModule(cordon, {}, target);
  await cordon.undo!(applied!.undo as never, target);
  expect(isCordoned()).toBe(false);
  expect(target.states.at(-1)).toEqual(['agent-1', undefined]);
});

test('undo leaves what an operator has made of the node since', async () => {
  const target = targetOf(cluster);
  const closed = (await runModule(cordon, {}, target)).applied!.undo;
  const opened = (await runModule(cordon, { state: 'uncordoned' }, target)).applied!.undo;
  api.setNode('agent-1', { unschedulable: true });
  // In the order of a rollback: closed again as it was found, then opened as it was at first.
  await cordon.undo!(opened as never, target);
  await cordon.undo!(closed as never, target);
  expect(isCordoned()).toBe(true);
  expect(annotations()).not.toHaveProperty('reeve.dev/cordoned-by');
});

test('an operator who cordons between look and patch keeps the cordon', async () => {
  const target = targetOf(cluster);
  const plan = await planOf(cordon, {}, target);
  let looks = 0;
  api.faults.onRequest = ({ method }) => {
    if (method === 'PATCH' && looks++ === 0) api.setNode('agent-1', { unschedulable: true });
    return undefined;
  };
  await cordon.apply!(plan.next as never, target);
  expect(isCordoned()).toBe(true);
  expect(annotations()).not.toHaveProperty('reeve.dev/cordoned-by');
});

test('an unknown node is an error that names those there are', async () => {
  const failure = planOf(cordon, { node: 'agent-9' }, targetOf(cluster));
  await expect(failure).rejects.toMatchObject({
    code: 'no-such-node',
    hint: expect.stringContaining('agent-1, agent-2'),
  });
});

test('in check mode a later plan knows of an earlier one', async () => {
  const target = targetOf(cluster);
  const first = await planOf(cordon, {}, target);
  Object.assign(target.foresight, first.foresees);
  expect((await planOf(cordon, {}, target)).changes).toEqual([]);
  const opened = await planOf(cordon, { state: 'uncordoned', only_own: true }, target);
  expect(opened.changes).toMatchObject([{ summary: 'agent-1: uncordoned' }]);
  Object.assign(target.foresight, opened.foresees);
  expect((await planOf(cordon, { state: 'uncordoned' }, target)).changes).toEqual([]);
});
