import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../runner/events.ts';
import type { Seeds } from '../lab/api/cluster.ts';
import { deployment, pdb, pod } from '../lab/api/fixtures.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { missingSshd } from '../support/missing.ts';
import { needs } from '../support/needs.ts';
import { isAll, large } from '../support/size.ts';
import { upgrade } from './support/run-upgrade.ts';
import { cordonedNodes, follow, versions } from './support/timeline.ts';
import { until } from './support/wait.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';
const CORDONED_BY = 'reeve.dev/cordoned-by';
const DONE = { 'agent-1': TO, 'server-1': TO };

const start = (objects?: Seeds) => startLab({ agents: 1, ...(objects ? { objects } : {}) });

/** The event by which a node's files begin to change. */
const installs = (event: RunEvent, host: string) =>
  event.type === 'task-progress' && event.host === host && event.message.startsWith('installing');

describe('the API', () => {
  it('may be gone for 20 s in the middle of the upgrade of its server', large, async () => {
    await using lab = await start();
    let outage: Promise<void> | undefined;
    const { exitCode, text } = await upgrade(
      lab,
      { version: TO },
      {
        onEvent(event) {
          if (installs(event, 'server-1')) outage ??= lab.apiOutage(20_000);
        },
      },
    );
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect(text).toMatch(/Wait for the control plane — ready after (1[5-9]|[2-9]\d)/);
    await outage;
    expect(versions(lab)).toEqual(DONE);
  });

  it('may go away and come back while a node is drained', large, async () => {
    await using lab = await start();
    let outage: Promise<void> | undefined;
    const { exitCode, text } = await upgrade(
      lab,
      { version: TO },
      {
        onEvent(event) {
          if (event.type === 'task-progress' && event.message.startsWith('evicting')) outage ??= lab.apiOutage(1_000);
        },
      },
    );
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    await outage;
    expect([versions(lab), cordonedNodes(lab)]).toEqual([DONE, []]);
  });
});

describe('a connection', () => {
  for (const backend of ['embedded', 'openssh'] as const) {
    it(
      `may drop in the middle of an installation, which goes on and is waited for (${backend})`,
      isAll ? needs(backend === 'openssh' && missingSshd()) : large,
      async () => {
        await using lab = await startLab({ agents: 1, backend });
        const agent = lab.hosts.get('agent-1');
        // The job is known to run once its folder is there.
        const jobs = join(agent.root, 'var/lib/reeve/jobs');
        const running = () => existsSync(jobs) && readdirSync(jobs).some((name) => name.includes('k3s-install'));
        agent.setKnob('install', 'slow 2');
        let cut: Promise<void> | undefined;
        let open = 0;
        const drop = async () => {
          await until(running);
          open = agent.counts.open;
          agent.dropConnections();
          await agent.refuse(500);
        };
        const { exitCode, text } = await upgrade(
          lab,
          { version: TO },
          {
            onEvent(event) {
              if (installs(event, 'agent-1')) cut ??= drop();
            },
          },
        );
        await cut;
        expect(open).toBeGreaterThan(0);
        expect(text).toContain('Done in');
        expect(exitCode).toBe(0);
        expect([versions(lab), cordonedNodes(lab)]).toEqual([DONE, []]);
        expect(readdirSync(jobs)).toEqual([]);
      },
    );
  }

  it('that carries the way to the API may drop while a node is drained', large, async () => {
    await using lab = await start();
    const server = lab.hosts.get('server-1');
    let open = 0;
    const { exitCode, text } = await upgrade(
      lab,
      { version: TO },
      {
        onEvent(event) {
          if (event.type !== 'task-progress' || !event.message.startsWith('evicting') || open > 0) return;
          open = server.counts.open;
          server.dropConnections();
        },
      },
    );
    expect(open).toBeGreaterThan(0);
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([DONE, []]);
  });
});

describe('pods that may not leave', () => {
  it('a budget that never allows it ends at the deadline, and the node takes pods as before', large, async () => {
    await using lab = await start([deployment('web', { nodes: ['agent-1'] }), pdb('web', { minAvailable: 1 })]);
    const { exitCode, text, ended } = await upgrade(lab, { version: TO, timeout: '2s' });
    expect(exitCode).toBe(2);
    expect(text).toMatch(/disruption budget (default\/)?web needs 1 healthy pods? and has 1/);
    expect([cordonedNodes(lab), ended.nodes]).toEqual([[], {}]);
    const node = lab.api.state.get('nodes', 'agent-1');
    expect(node?.metadata.annotations?.[CORDONED_BY]).toBeUndefined();
    expect(versions(lab)).toEqual({ 'agent-1': FROM, 'server-1': TO });
  });

  it('pods that forbid a drain are found before anything is touched, with the argument to give', large, async () => {
    await using lab = await start([
      pod('alone', { node: 'agent-1' }),
      deployment('cache', { nodes: ['agent-1'], emptyDir: true }),
    ]);
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(exitCode).toBe(2);
    expect(text).toMatch(/default\/alone[^\n]*force/);
    expect(text).toMatch(
      /default\/cache-[^\n]*delete_emptydir_data[\s\S]*upgrade-k3s: -e delete_emptydir=true -e force=true/,
    );
    expect(versions(lab)).toEqual({ 'agent-1': FROM, 'server-1': FROM });
    const forced = await upgrade(lab, { version: TO, force: 'true', delete_emptydir: 'true' });
    expect(forced.exitCode).toBe(0);
  });
});

describe('what was there before', () => {
  it('an operator’s cordon stays, and one of a dead run is taken back', large, async () => {
    await using lab = await startLab({ agents: 2, objects: [] });
    lab.api.setNode('agent-1', { unschedulable: true });
    lab.api.setNode('agent-2', { unschedulable: true, annotations: { [CORDONED_BY]: '20260101-000000000-abcdef' } });
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(exitCode).toBe(0);
    expect(text).toContain('agent-1 was cordoned by an operator and stays so');
    expect(cordonedNodes(lab)).toEqual(['agent-1']);

    lab.api.setNode('agent-2', { unschedulable: true, annotations: { [CORDONED_BY]: '20260101-000000000-abcdef' } });
    const timeline = follow(lab);
    expect((await upgrade(lab, { version: TO })).exitCode).toBe(0);
    expect(timeline.steps).toEqual(['opened agent-2']);
  });

  it('one node that somebody upgraded by hand is left alone', large, async () => {
    await using lab = await start();
    const limited = await upgrade(lab, { version: TO }, { limit: 'servers' });
    expect(limited.exitCode).toBe(0);
    const server = () =>
      [...lab.state()].filter(([path]) => path.startsWith('server-1:') && !path.includes('snapshots'));
    const before = server();
    expect((await upgrade(lab, { version: TO, snapshot: 'false' })).exitCode).toBe(0);
    expect(server()).toEqual(before);
    expect(versions(lab)).toEqual(DONE);
  });

  it('one whose binary somebody replaced without a restart is finished', large, async () => {
    await using lab = await start();
    expect((await upgrade(lab, { version: TO }, { limit: 'servers' })).exitCode).toBe(0);
    writeFileSync(join(lab.hosts.get('agent-1').root, 'usr/local/bin/k3s'), lab.artifacts.binary(TO), { mode: 0o755 });
    const timeline = follow(lab);
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('one at a time: agent-1.');
    expect(exitCode).toBe(0);
    expect(timeline.steps).toEqual(['cordoned agent-1', `agent-1 runs ${TO}`, 'opened agent-1']);
  });

  it('broken pods do not block; new damage does', large, async () => {
    await using lab = await start([
      deployment('old', { nodes: ['server-1'], behaviour: { crashLoops: true } }),
      deployment('web', { nodes: ['agent-1'], nodeSelector: { 'kubernetes.io/hostname': 'agent-1' } }),
    ]);
    const first = await upgrade(lab, { version: 'v1.30.8+k3s1' });
    expect(first.text).toContain('CrashLoopBackOff');
    expect(first.exitCode).toBe(0);

    lab.api.cluster.behaviour = ({ metadata }) => (metadata.name.startsWith('web') ? { neverReady: true } : {});
    const second = await upgrade(lab, { version: TO, timeout: '3s' });
    expect(second.exitCode).toBe(2);
    expect(second.failures[0]?.message).toMatch(/1 pod is not healthy after 3 s\n {2}default\/web-/);
    expect(second.failures[0]?.message).not.toContain('default/old');
  });

  it('an external datastore needs its own backup', large, async () => {
    await using lab: Lab = await startLab({
      agents: 0,
      serverArgs: ['--datastore-endpoint', 'postgres://k3s:secret-word@127.0.0.1/k3s'],
    });
    const before = lab.fingerprint();
    const refused = await upgrade(lab, { version: TO });
    expect(refused.text).toContain('The datastore is external');
    expect([refused.exitCode, lab.fingerprint()]).toEqual([2, before]);
    expect(refused.text).not.toContain('secret-word');
    expect((await upgrade(lab, { version: TO, snapshot: 'false' })).exitCode).toBe(0);
  });
});
