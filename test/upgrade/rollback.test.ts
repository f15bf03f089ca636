import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../runner/events.ts';
import type { KubeObject } from '../lab/api/objects.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import type { LabOptions } from '../lab/lab-options.ts';
import { random } from '../support/random.ts';
import { isAll, large } from '../support/size.ts';
import { announcedBy } from './support/announced.ts';
import { Runs } from './support/runs.ts';
import { cordonedNodes, follow, versions } from './support/timeline.ts';
import { differences, wholeState } from './support/whole-state.ts';

const FROM = 'v1.30.4+k3s1';
/** Within the minor: what goes back. */
const PATCH = 'v1.30.8+k3s1';
const MINOR = 'v1.31.5+k3s1';

let runs: Runs;
let lab: Lab;
beforeEach(() => {
  runs = new Runs();
});
afterEach(async () => {
  runs[Symbol.dispose]();
  await lab.stop();
});
const start = async (options: LabOptions) => {
  lab = await startLab({ version: FROM, ...options });
};
const isPod = (difference: string) => /^[-+] pods /.test(difference);
const of = <T extends RunEvent['type']>(type: T) =>
  runs.journal().filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);

/** The entries of the history that the cluster keeps. */
function history(): Record<string, unknown>[] {
  const map = lab.api.state.get<KubeObject & { data?: Record<string, string> }>(
    'configmaps',
    'reeve-upgrade-history',
    'kube-system',
  );
  const lines = (map?.data?.['upgrades.jsonl'] ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}

describe('after a rollback within a minor the files of all hosts and all objects of the API are as before', () => {
  const topologies: [string, LabOptions][] = [
    ['a server with etcd and two agents', { agents: 2 }],
    ['three servers, each drained', { servers: 3, agents: 1 }],
    ['a server with SQLite', { agents: 1, datastore: 'sqlite' }],
  ];
  it.each(topologies)('but for what --check announced: %s', large, async (_, options) => {
    await start(options);
    const before = await wholeState(lab);
    expect((await runs.upgrade(lab, PATCH)).code).toBe(0);
    expect(new Set(Object.values(versions(lab)))).toEqual(new Set([PATCH]));
    const upgraded = await wholeState(lab);
    expect(differences(before, upgraded).some((one) => one.includes(':usr/local/bin/k3s'))).toBe(true);

    const check = await runs.reeve(['rollback', 'last', '--check']);
    expect(check.code).toBe(0);
    expect(differences(upgraded, await wholeState(lab)), 'a check changes nothing').toEqual([]);
    const back = await runs.reeve(['rollback', 'last', '--yes']);
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back.')]);

    const after = await wholeState(lab);
    const announced = announcedBy(check.text, lab);
    expect(differences(before, after).filter((one) => !announced(one))).toEqual([]);
    expect(history()).toEqual([expect.objectContaining({ from: FROM, to: PATCH, rolled_back: expect.any(String) })]);
    expect(cordonedNodes(lab)).toEqual([]);
  });
});

describe('a rollback that is killed', () => {
  it('again and again, at seeded points, ends in the same state, and nothing is undone twice', large, async () => {
    await start({ agents: 1 });
    const before = await wholeState(lab);
    expect((await runs.upgrade(lab, PATCH)).code).toBe(0);
    const check = await runs.reeve(['rollback', 'last', '--check']);
    const next = random(4);
    let deaths = 0;
    // The first takes its lock, says that it begins, and dies at its first change.
    let last = await runs.reeve(['rollback', 'last', '--yes'], 3);
    while (last.code === null) {
      deaths += 1;
      // From the first effect after its beginning to so many events further on.
      last = await runs.reeve(['rollback', 'last', '--yes'], 3 + Math.floor(next() * (isAll ? 5 : 15)));
    }
    // Whoever is killed right after the last record has rolled back, and had no time to say so.
    const said = expect.stringMatching(/Rolled back\.|There is nothing to take back/);
    expect([last.code, last.text]).toEqual([0, said]);
    expect(of('rollback-ended').map(({ ok }) => ok)).toEqual([true]);
    expect(deaths).toBeGreaterThan(isAll ? 3 : 1);

    const announced = announcedBy(check.text, lab);
    expect(differences(before, await wholeState(lab)).filter((one) => !announced(one))).toEqual([]);
    const undone = of('undo-ended').map(({ effect, ok }) => `${effect} ${ok}`);
    expect(undone.sort()).toEqual([...new Set(undone)].sort());
    const changes = of('effect-ended').filter(({ undo }) => undo !== undefined);
    expect(undone).toHaveLength(changes.length);
    expect((await runs.reeve(['rollback', 'last', '--yes'])).text).toContain('There is nothing to take back');
  });

  it('and an upgrade that was killed goes back without being resumed, from wherever it was', large, async () => {
    await start({ agents: 1 });
    const before = await wholeState(lab);
    const inInstallation = (events: RunEvent[]) =>
      events.some((e) => e.type === 'task-progress' && e.host === 'agent-1' && e.message.startsWith('installing'));
    expect((await runs.upgrade(lab, PATCH, { dies: inInstallation })).code).toBe(null);
    expect(cordonedNodes(lab)).toEqual(['agent-1']);
    const check = await runs.reeve(['rollback', 'last', '--check']);
    let back = await runs.reeve(['rollback', 'last', '--yes']);
    // The script that the dead run began is not interrupted: what it does is waited for.
    while (back.text.includes('is still at work')) back = await runs.reeve(['rollback', 'last', '--yes']);
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
    const announced = announcedBy(check.text, lab);
    expect(differences(before, await wholeState(lab)).filter((one) => !announced(one))).toEqual([]);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': FROM }, []]);
  });
});

describe('over a minor version', () => {
  it(
    '--check foresees the refusal for each host by name, with its exit code, and the real one touches nothing',
    large,
    async () => {
      await start({ agents: 1 });
      expect((await runs.upgrade(lab, MINOR)).code).toBe(0);
      const upgraded = await wholeState(lab);
      for (const how of ['--check', '--yes']) {
        const { code, text } = await runs.reeve(['rollback', 'last', how]);
        expect(code).toBe(6);
        for (const host of ['server-1', 'agent-1']) {
          expect(text).toContain(`REFUSED ${host}: Install k3s`);
          expect(text).toMatch(
            new RegExp(`nothing is taken back: .*${host}: Install k3s: ${MINOR.replace('+', '\\+')} →`),
          );
        }
        expect(text).toContain('restore the snapshot from before the upgrade');
      }
      expect(differences(upgraded, await wholeState(lab))).toEqual([]);
      expect(history()).toEqual([expect.not.objectContaining({ rolled_back: expect.anything() })]);

      // What was done after the refused change goes back when it is asked for alone.
      const later = await runs.reeve(['rollback', 'last', '--to', 'Agents', '--yes']);
      expect([later.code, later.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
      expect(differences(upgraded, await wholeState(lab)).map((one) => one.split(':', 1)[0])).toEqual([
        '~ configmaps kube-system/reeve-upgrade-history',
      ]);
    },
  );

  it(
    '--on-failure rollback says so and takes nothing back: the cluster stays as the failure left it, in service',
    large,
    async () => {
      await start({ agents: 1 });
      lab.hosts.get('agent-1').setKnob('install', 'fail');
      const { code, text } = await runs.upgrade(lab, MINOR, { more: ['--on-failure', 'rollback'] });
      expect(code).toBe(2);
      expect(text).toContain(`nothing was taken back: server-1: Install k3s: ${MINOR} → ${FROM}`);
      expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': MINOR }, []]);
      expect(of('undo-started')).toEqual([]);
    },
  );
});

describe('--to PLAY', () => {
  it('keeps that play and those before it; a name that is none is an error with the nearest one', large, async () => {
    await start({ agents: 1 });
    expect((await runs.upgrade(lab, PATCH)).code).toBe(0);
    const wrong = await runs.reeve(['rollback', 'last', '--to', 'Server', '--yes']);
    expect(wrong.code).toBe(5);
    expect(wrong.text).toContain('did you mean "Servers"?');
    expect(of('rollback-started')).toEqual([]);

    const timeline = follow(lab);
    const part = await runs.reeve(['rollback', 'last', '--to', 'Servers', '--yes']);
    expect([part.code, part.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': PATCH }, []]);
    // It is closed while its k3s goes back.
    expect(timeline.steps).toEqual(['cordoned agent-1', `agent-1 runs ${FROM}`, 'opened agent-1']);

    const rest = await runs.reeve(['rollback', 'last', '--yes']);
    expect(rest.text).not.toContain('agent-1: Install k3s');
    expect(rest.code).toBe(0);
    expect(versions(lab)).toEqual({ 'agent-1': FROM, 'server-1': FROM });
  });
});

describe('an installation that fails on the agent', () => {
  it('with --on-failure rollback takes the whole run back, and every node is open again', async () => {
    await start({ agents: 1 });
    const before = await wholeState(lab);
    lab.hosts.get('agent-1').setKnob('install', 'fail');
    const { code, text } = await runs.upgrade(lab, PATCH, { more: ['--on-failure', 'rollback'] });
    expect(code).toBe(2);
    expect(text).toContain('the install script failed with exit code');
    expect(text).toMatch(/its changes were taken back, except .*server-1: Take a snapshot of the datastore/);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': FROM }, []]);
    const left = differences(before, await wholeState(lab)).filter((one) => !isPod(one));
    expect(left.filter((one) => !/:var\/lib\/reeve\/|napshot|reeve-upgrade-history/.test(one))).toEqual([]);
    expect(history()).toEqual([expect.objectContaining({ rolled_back: expect.any(String) })]);
  });

  it(
    'with --on-failure rollback leaves a node closed that does not come up with the old k3s either',
    large,
    async () => {
      await start({ agents: 1 });
      lab.hosts.get('agent-1').setKnob('k3s-start', 'forever');
      const { code, text } = await runs.upgrade(lab, PATCH, {
        more: ['--on-failure', 'rollback', '-e', 'recovery_limit=3s'],
      });
      expect(code).toBe(2);
      expect(text).toMatch(/the rollback stopped: agent-1: Install k3s cannot be undone/);
      expect(text).toContain('node agent-1 is left cordoned; half rolled back');
      expect(cordonedNodes(lab)).toEqual(['agent-1']);
      // What lies under it is not pulled away: the server stays as it is.
      expect(versions(lab)['server-1']).toBe(PATCH);

      lab.hosts.get('agent-1').setKnob('k3s-start', undefined);
      const back = await runs.reeve(['rollback', 'last', '--yes']);
      expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
      expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': FROM }, []]);
    },
  );

  it('with --on-failure pause stops there, says how to go on, and resume does', large, async () => {
    await start({ agents: 2 });
    lab.hosts.get('agent-1').setKnob('install', 'fail');
    const { code, text } = await runs.upgrade(lab, PATCH, { more: ['--on-failure', 'pause'] });
    expect(code).toBe(2);
    expect(text).toContain('paused after a failure in play "Agents"');
    expect(text).toMatch(/`reeve resume \S+` goes on, or `reeve rollback \S+` takes the changes back/);
    // The failed installation took itself back: closed, the node would only cost capacity.
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'agent-2': FROM, 'server-1': PATCH }, []]);
    expect(of('rollback-started')).toEqual([]);

    lab.hosts.get('agent-1').setKnob('install', undefined);
    const resumed = await runs.reeve(['resume', 'last']);
    expect([resumed.code, resumed.text]).toEqual([0, expect.stringContaining('Done in')]);
    expect([new Set(Object.values(versions(lab))), cordonedNodes(lab)]).toEqual([new Set([PATCH]), []]);
    expect((await runs.reeve(['rollback', 'last', '--yes'])).code).toBe(0);
    expect([new Set(Object.values(versions(lab))), cordonedNodes(lab)]).toEqual([new Set([FROM]), []]);
  });
});

it('the history names the version that the oldest node had, also after a run that came half-way', large, async () => {
  await start({ agents: 1 });
  lab.hosts.get('agent-1').setKnob('install', 'fail');
  expect((await runs.upgrade(lab, MINOR)).code).toBe(2);
  lab.hosts.get('agent-1').setKnob('install', undefined);
  expect((await runs.upgrade(lab, MINOR)).code).toBe(0);
  expect(history().map(({ from, to, ended }) => [from, to, ended !== undefined])).toEqual([
    [FROM, MINOR, false],
    [FROM, MINOR, true],
  ]);
});
