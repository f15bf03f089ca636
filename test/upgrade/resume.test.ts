import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../runner/events.ts';
import { deployment } from '../lab/api/fixtures.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { large } from '../support/size.ts';
import { Runs } from './support/runs.ts';
import { cordonedNodes, follow, versions } from './support/timeline.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.30.8+k3s1';

let runs: Runs;
let lab: Lab;
beforeEach(async () => {
  runs = new Runs();
  const web = deployment('web', { nodes: ['agent-1'], behaviour: { terminatesAfter: 1 } });
  lab = await startLab({ agents: 1, version: FROM, objects: [web] });
});
afterEach(async () => {
  await lab.stop();
  runs[Symbol.dispose]();
});

const begins = (events: RunEvent[], host: string, task: string) =>
  events.some((event) => event.type === 'task-started' && event.host === host && event.task.name === task);
const installing = (events: RunEvent[], host: string) =>
  events.some((e) => e.type === 'task-progress' && e.host === host && e.message.startsWith('installing'));

it(
  'a node that a failed installation has opened again is drained again before a resume installs anything on it',
  large,
  async () => {
    const agent = lab.hosts.get('agent-1');
    agent.setKnob('install', 'fail');
    expect((await runs.upgrade(lab, TO)).code).toBe(2);
    expect(cordonedNodes(lab)).toEqual([]);
    agent.setKnob('install', undefined);
    const before = runs.journal().length;
    expect((await runs.reeve(['resume', 'last'])).code).toBe(0);
    const changed = runs
      .journal()
      .slice(before)
      .flatMap((e) => (e.type === 'task-ended' && e.host === 'agent-1' && e.status === 'changed' ? e.task.name : []));
    expect(changed).toEqual(['Drain', 'Install k3s', 'Open the node again']);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  },
);

describe('an upgrade that is killed', () => {
  it(
    'again and again is gone on with by resume at once, its own lock included, and nothing is installed twice',
    large,
    async () => {
      const killed = await runs.upgrade(lab, TO, { dies: (events) => installing(events, 'server-1') });
      expect(killed.code).toBe(null);
      const again = await runs.reeve(['resume', 'last'], (events) => begins(events, 'agent-1', 'Drain'));
      expect(again.code).toBe(null);
      const once = await runs.reeve(['resume', 'last'], (events) => begins(events, 'agent-1', 'Wait for the node'));
      expect(once.code).toBe(null);
      const last = await runs.reeve(['resume', 'last']);
      expect(last.text).toContain('Done in');
      expect(last.code).toBe(0);
      expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
      const installs = runs
        .journal()
        .filter((e) => e.type === 'task-progress' && e.host === 'agent-1' && /^installing/.test(e.message));
      expect(installs).toHaveLength(1);
    },
  );

  it('and then fails says all that is wrong with a node, what the dead process did to it too', large, async () => {
    const dies = (events: RunEvent[]) => begins(events, 'agent-1', 'Install k3s');
    await runs.upgrade(lab, TO, { more: ['-e', 'recovery_limit=3s'], dies });
    lab.hosts.get('agent-1').setKnob('k3s-start', 'fail');
    const { code, text } = await runs.reeve(['resume', 'last']);
    expect(code).toBe(2);
    expect(text).toMatch(/agent-1 .*cordoned; half upgraded/);
  });

  it('in a long installation attaches to it', large, async () => {
    const agent = lab.hosts.get('agent-1');
    agent.setKnob('install', 'slow 4');
    const jobs = join(agent.root, 'var/lib/reeve/jobs');
    const running = () => existsSync(jobs) && readdirSync(jobs).some((name) => name.includes('k3s-install'));
    await runs.upgrade(lab, TO, { dies: (events) => installing(events, 'agent-1') && running() });
    // Without attaching, the job of that name is in the way: an error.
    const { code, text } = await runs.reeve(['resume', 'last']);
    expect([code, text]).toEqual([0, expect.stringContaining('Done in')]);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  });
});

describe('an upgrade that failed', () => {
  it(
    'drains a node again by resume that was opened meanwhile, and opens it again when it fails again',
    large,
    async () => {
      const agent = lab.hosts.get('agent-1');
      agent.setKnob('install', 'fail');
      expect((await runs.upgrade(lab, TO)).code).toBe(2);
      expect(cordonedNodes(lab)).toEqual([]);
      const again = await runs.reeve(['resume', 'last']);
      expect(again.code).toBe(2);
      expect(cordonedNodes(lab)).toEqual([]);
      agent.setKnob('install', undefined);
      const timeline = follow(lab);
      expect((await runs.reeve(['resume', 'last'])).code).toBe(0);
      expect(timeline.steps).toEqual(['cordoned agent-1', `agent-1 runs ${TO}`, 'opened agent-1']);
    },
  );
});
