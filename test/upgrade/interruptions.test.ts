import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../runner/events.ts';
import { deployment } from '../lab/api/fixtures.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { large } from '../support/size.ts';
import { upgradeProcess } from './support/cli.ts';
import { upgrade } from './support/run-upgrade.ts';
import { cordonedNodes, versions } from './support/timeline.ts';
import { until } from './support/wait.ts';

const TO = 'v1.31.5+k3s1';

const start = (agents: number) =>
  startLab({ agents, objects: [deployment('web', { nodes: ['agent-1'], behaviour: { terminatesAfter: 1 } })] });

/** What a dead run held expires by itself, after longer than a test may last. */
function expireLock(lab: Lab): void {
  lab.api.state.remove('leases', 'reeve-upgrade-k3s', 'kube-system');
}

const startsTask = (event: RunEvent, host: string, task: string) =>
  event.type === 'task-started' && event.host === host && event.task.name === task;
const endsTask = (event: RunEvent, host: string, task: string) =>
  event.type === 'task-ended' && event.host === host && event.task.name === task;
const installs = (event: RunEvent, host: string) =>
  event.type === 'task-progress' && event.host === host && event.message.startsWith('installing');

/** In the order in which an upgrade gets there: each run dies at its point, and the next one goes on from there. */
const DEATHS: [string, (event: RunEvent) => boolean][] = [
  ['in the snapshot', (event) => event.type === 'task-progress' && event.message.startsWith('saving')],
  ['in the installation of the server', (event) => installs(event, 'server-1')],
  [
    'when the server waits for its control plane',
    (event) => startsTask(event, 'server-1', 'Wait for the control plane'),
  ],
  ['in a drain', (event) => event.type === 'task-progress' && event.message.startsWith('evicting')],
  ['after a drain', (event) => endsTask(event, 'agent-1', 'Drain')],
  ['in the installation of an agent', (event) => installs(event, 'agent-1')],
  ['before its node is Ready', (event) => startsTask(event, 'agent-1', 'Wait for the node')],
  ['before its node is opened', (event) => startsTask(event, 'agent-1', 'Open the node again')],
];

describe('kill -9', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await start(1);
  });
  afterAll(() => lab.stop());

  it.each(DEATHS)('%s leaves a cluster that the next run can go on with', large, async (_, isPoint) => {
    expireLock(lab);
    const run = await upgradeProcess(lab, { version: TO }, (event, child) => {
      if (isPoint(event)) child.kill('SIGKILL');
    });
    expect([run.signal, run.exitCode]).toEqual(['SIGKILL', undefined]);
  });

  it('at all of these points, and the job gets finished', large, async () => {
    expireLock(lab);
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  });
});

describe('kill -9 while a long installation runs on', () => {
  it('does not let the next run begin a second one beside it', large, async () => {
    await using lab = await start(1);
    const agent = lab.hosts.get('agent-1');
    agent.setKnob('install', 'slow 4');
    const jobs = join(agent.root, 'var/lib/reeve/jobs');
    const running = () => existsSync(jobs) && readdirSync(jobs).some((name) => name.includes('k3s-install'));
    const dead = await upgradeProcess(lab, { version: TO }, (event, child) => {
      if (installs(event, 'agent-1')) void until(running).then(() => child.kill('SIGKILL'));
    });
    expect(dead.signal).toBe('SIGKILL');
    expireLock(lab);
    const next = await upgrade(lab, { version: TO });
    expect(next.exitCode).toBe(0);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  });
});

describe('Ctrl-C', () => {
  it('in an installation lets it end, says what state the node is in, and the next run goes on', large, async () => {
    await using lab = await start(2);
    const { exitCode, events } = await upgradeProcess(lab, { version: TO }, (event, child) => {
      if (installs(event, 'agent-1')) child.kill('SIGINT');
    });
    expect(exitCode).toBe(130);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'run-ended', outcome: 'interrupted', nodes: { 'agent-1': 'cordoned' } });
    expect(events.find((event) => endsTask(event, 'agent-1', 'Install k3s'))).toMatchObject({ status: 'changed' });
    expect(cordonedNodes(lab)).toEqual(['agent-1']);
    expect(versions(lab)['agent-2']).not.toBe(TO);
    const { exitCode: next } = await upgrade(lab, { version: TO });
    expect(next).toBe(0);
    expect([Object.values(versions(lab)), cordonedNodes(lab)]).toEqual([[TO, TO, TO], []]);
  });

  it('twice in a drain stops at once and puts the cordon back', large, async () => {
    await using lab = await startLab({
      agents: 1,
      objects: [deployment('slow', { nodes: ['agent-1'], behaviour: { neverTerminates: true } })],
    });
    const { exitCode, events } = await upgradeProcess(lab, { version: TO }, (event, child) => {
      if (event.type !== 'task-progress' || !event.message.startsWith('evicting')) return;
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGTERM'), 200);
    });
    expect(exitCode).toBe(130);
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', nodes: {} });
    expect(cordonedNodes(lab)).toEqual([]);
  });
});
