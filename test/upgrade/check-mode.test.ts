import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonset, deployment, pdb, statefulset } from '../lab/api/fixtures.ts';
import type { Pod } from '../lab/api/objects.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { type Upgrade, upgrade } from './support/run-upgrade.ts';
import { follow, versions } from './support/timeline.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';
const AS_OF_NOW = / \(as of now\)$/;

/** What a run changed or would change: `HOST TASK: SUMMARY`, in order. */
function changes(run: Upgrade): string[] {
  return run.events.flatMap((event) =>
    event.type === 'task-ended'
      ? event.changes.map(({ summary }) => `${event.host} ${event.task.name}: ${summary}`)
      : [],
  );
}

const evicts = (line: string) => line.includes(': evict ');

let lab: Lab;
let check: Upgrade;
let real: Upgrade;
let before: Map<string, string>;
let untouched: boolean;
let evicted: string[];

beforeAll(async () => {
  lab = await startLab({
    objects: [
      deployment('web', { nodes: ['agent-1', 'agent-2'], replicas: 3, behaviour: { terminatesAfter: 1 } }),
      pdb('web', { maxUnavailable: 1 }),
      statefulset('store', { nodes: ['agent-1'], behaviour: { terminatesAfter: 1 } }),
      daemonset('agent', { namespace: 'kube-system', nodes: ['server-1', 'agent-1', 'agent-2'] }),
    ],
  });
  before = lab.state();
  const fingerprint = lab.fingerprint();
  check = await upgrade(lab, { version: TO }, { check: true });
  untouched = lab.fingerprint() === fingerprint;
  const timeline = follow(lab);
  evicted = [];
  // The pods that left the first agent while it was closed.
  lab.api.state.subscribe(({ object, type }) => {
    const closed = timeline.steps.includes('cordoned agent-1') && !timeline.steps.includes('opened agent-1');
    const pod = object as Pod;
    if (object.kind !== 'Pod' || type !== 'DELETED' || !closed || pod.spec.nodeName !== 'agent-1') return;
    evicted.push(`agent-1 Drain: evict ${pod.metadata.namespace}/${pod.metadata.name}`);
  });
  real = await upgrade(lab, { version: TO });
});
afterAll(() => lab.stop());

describe('check mode', () => {
  it('writes nothing at all, and both runs end well', () => {
    expect([check.exitCode, untouched, real.exitCode]).toEqual([0, true, 0]);
    expect(versions(lab)).toEqual({ 'agent-1': TO, 'agent-2': TO, 'server-1': TO });
    expect(before.get('server-1:usr/local/bin/k3s')).not.toBe(lab.state().get('server-1:usr/local/bin/k3s'));
  });

  it('foresees every change that the real run then makes, on every host and in the same order', () => {
    const exact = (lines: string[]) => lines.filter((line) => !(evicts(line) && line.startsWith('agent-2')));
    expect(exact(changes(check))).toEqual(exact(changes(real)));
    expect(exact(changes(real)).length).toBeGreaterThan(10);
  });

  it('names the pods that then leave the first node', () => {
    const foreseen = changes(check).filter((line) => evicts(line) && line.startsWith('agent-1'));
    expect(foreseen.toSorted()).toEqual(evicted.toSorted());
    expect(foreseen.length).toBeGreaterThan(1);
  });

  it('marks the pods of later nodes as what is there now', () => {
    const later = changes(check).filter((line) => evicts(line) && line.startsWith('agent-2'));
    expect(later.length).toBeGreaterThan(0);
    expect(later.filter((line) => !AS_OF_NOW.test(line))).toEqual([]);
  });

  it('says of every task what it then is, or that it cannot know yet', () => {
    // These look for what a real run would meet later; check mode comes there itself.
    const early = ['Every pod may leave its node', 'The install script can run on every node'];
    const outcomes = (run: Upgrade) =>
      new Map(
        run.events.flatMap((event) =>
          event.type === 'task-ended' && !early.includes(event.task.name)
            ? [[`${event.host} ${event.task.id}`, event.status] as const]
            : [],
        ),
      );
    const [foreseen, happened] = [outcomes(check), outcomes(real)];
    expect([...foreseen.keys()].toSorted()).toEqual([...happened.keys()].toSorted());
    const wrong = [...foreseen].filter(([task, status]) => status !== 'unknown' && status !== happened.get(task));
    expect(wrong).toEqual([]);
    // What cannot be known is waits: nothing that then changes something.
    const surprises = [...foreseen].filter(([task, status]) => status === 'unknown' && happened.get(task) !== 'ok');
    expect(surprises).toEqual([]);
  });

  it('says what it would wait for, although it cannot know how long k3s will have been away by then', () => {
    expect(check.of('Wait for the control plane')[0]).toMatchObject({
      status: 'unknown',
      message: 'would wait for the API server of the host, for at most 5m',
    });
  });

  it('foresees which hosts get other files', () => {
    const after = lab.state();
    const touched = new Set(
      [...after]
        .filter(([path, what]) => !path.startsWith('api write') && before.get(path) !== what)
        .map(([path]) => path.split(':')[0]),
    );
    const foreseen = new Set(check.of('Install k3s').map(({ host }) => host));
    expect([...touched].toSorted()).toEqual([...foreseen].toSorted());
    expect(check.of('Install k3s').map(({ result }) => [result?.previous, result?.installed])).toEqual(
      Array.from({ length: 3 }, () => [FROM, TO]),
    );
  });
});
