import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deployment } from '../lab/api/fixtures.ts';
import type { Node } from '../lab/api/objects.ts';
import { installScript } from '../lab/hosts/artifact-server.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { large, sampled } from '../support/size.ts';
import { upgrade } from './support/run-upgrade.ts';
import { cordonedNodes, versions } from './support/timeline.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';

let lab: Lab;

const started = () => startLab({ agents: 1, objects: [deployment('web', { nodes: ['agent-1'] })] });
const agent = () => lab.hosts.get('agent-1');
const unitOf = () => readFileSync(join(agent().root, 'etc/systemd/system/k3s-agent.service'), 'utf8');
const envOf = () => readFileSync(join(agent().root, 'etc/systemd/system/k3s-agent.service.env'), 'utf8');

describe('an installation that goes wrong on an agent', () => {
  // What is taken back leaves the lab as it was: one is enough.
  beforeAll(async () => {
    lab = await started();
    expect((await upgrade(lab, { version: TO }, { limit: 'servers' })).exitCode).toBe(0);
  });
  afterAll(() => lab.stop());
  afterEach(() => agent().setKnob('install', undefined));

  const faults = [
    ['fail', 'the install script failed with exit code'],
    ['lose-flags', 'the install script lost argument --node-label'],
    ['lose-env', 'the install script lost variable K3S_'],
    ['corrupt', 'Download sha256 does not match'],
  ] as const;
  it.each(sampled(faults, 1))('«%s» is taken back, and the node takes pods again', async (knob, message) => {
    agent().setKnob('install', knob);
    const [unit, env] = [unitOf(), envOf()];
    const { exitCode, text, ended } = await upgrade(lab, { version: TO });
    expect(text).toContain(message);
    expect(text).toContain('put back');
    expect(exitCode).toBe(2);
    expect([unitOf(), envOf()]).toEqual([unit, env]);
    expect(versions(lab)).toEqual({ 'agent-1': FROM, 'server-1': TO });
    expect(cordonedNodes(lab)).toEqual([]);
    expect(ended.nodes).toEqual({});
  });

  it('that would make a server of it is taken back', large, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'reeve-install-'));
    try {
      const script = join(dir, 'install.sh');
      writeFileSync(script, `#!/bin/sh\nunset K3S_URL; set --\n${installScript(lab.artifacts.url)}`);
      const { exitCode, text } = await upgrade(lab, { version: TO, install_script: script });
      expect(text).toContain('made a server unit (k3s) on this agent');
      expect(exitCode).toBe(2);
      expect(versions(lab)).toEqual({ 'agent-1': FROM, 'server-1': TO });
      expect(cordonedNodes(lab)).toEqual([]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('is no obstacle to the next run', large, async () => {
    expect((await upgrade(lab, { version: TO })).exitCode).toBe(0);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  });
});

describe('a k3s that does not come up as it should', () => {
  beforeEach(async () => {
    lab = await started();
  });
  afterEach(() => lab.stop());

  it.each(['forever', 'fail'])(
    'on an agent (%s) ends at the limit with its journal; the next run mends it',
    large,
    async (how) => {
      const start = readFileSync(join(agent().root, 'lab/knobs/k3s-start'), 'utf8').trim();
      agent().setKnob('k3s-start', how);
      const { exitCode, text, ended, failures } = await upgrade(lab, { version: TO, recovery_limit: '3s' });
      expect(exitCode).toBe(2);
      expect(text).toMatch(/k3s-agent is still activating after \d/);
      expect(failures[0]?.message?.split('\n').length).toBeGreaterThan(how === 'fail' ? 20 : 3);
      expect(ended.nodes['agent-1']).toMatch(/^cordoned; half upgraded: v1\.31\.5/);
      expect(text).toContain('node agent-1 is left cordoned; half upgraded');
      expect(cordonedNodes(lab)).toEqual(['agent-1']);

      agent().setKnob('k3s-start', start);
      const refused = await upgrade(lab, { version: TO });
      if (how === 'forever') expect(refused.text).toContain('accept_problems=true');
      const next = await upgrade(lab, { version: TO, accept_problems: 'true' });
      expect(next.text).toContain('Done in');
      expect(next.exitCode).toBe(0);
      expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
    },
  );

  it('but as another version is no success', large, async () => {
    lab.api.state.subscribe(({ object }) => {
      const node = object as Node;
      if (node.kind !== 'Node' || node.metadata.name !== 'agent-1' || node.status?.nodeInfo?.kubeletVersion !== TO)
        return;
      setImmediate(() => lab.api.setNode('agent-1', { version: 'v1.30.8+k3s1' }));
    });
    const { exitCode, text } = await upgrade(lab, { version: TO, recovery_limit: '3s' });
    expect(exitCode).toBe(2);
    expect(text).toContain(`Node agent-1 runs v1.30.8+k3s1 instead of ${TO}`);
    expect(text).toContain('node agent-1 is left cordoned');
    expect(cordonedNodes(lab)).toEqual(['agent-1']);
  });

  it('on a server in time is a failure', large, async () => {
    lab.hosts.get('server-1').setKnob('k3s-start', '60');
    const { exitCode, text } = await upgrade(lab, { version: TO, recovery_limit: '2s' });
    expect(exitCode).toBe(2);
    expect(text).toMatch(/k3s is still activating after \d/);
    expect(text).toContain('node server-1 is left half upgraded');
    expect(versions(lab)['agent-1']).toBe(FROM);
  });

  it('since its database takes too long to copy runs again as before', large, async () => {
    await lab.stop();
    lab = await startLab({ agents: 0, datastore: 'sqlite' });
    const server = lab.hosts.get('server-1');
    const slow = '#!/bin/sh\ncase "$*" in *server/db*) exec sleep 600 ;; esac\nexec /bin/cp "$@"\n';
    writeFileSync(join(server.root, 'usr/local/bin/cp'), slow, { mode: 0o755 });
    const { exitCode, text, ended } = await upgrade(lab, { version: TO, recovery_limit: '2s' });
    expect(text).toMatch(/the SQLite database could not be copied; k3s runs again as before: not done after 2 s/);
    expect([exitCode, ended.nodes]).toEqual([2, {}]);
    expect(versions(lab)).toEqual({ 'server-1': FROM });
    const events = readFileSync(join(server.root, 'lab/events'), 'utf8').trim().split('\n');
    expect(events.at(-1)).toContain(`active\t${FROM}\tserver`);
    expect(readdirSync(join(server.root, 'var/lib/reeve'))).not.toContain(`k3s-sqlite-${FROM}.part`);
  });

  it('at the API of a server in time is a failure', large, async () => {
    let back = () => {};
    const away = new Promise<void>((resolve) => {
      back = resolve;
    });
    let over: Promise<void> | undefined;
    const { exitCode, text } = await upgrade(
      lab,
      { version: TO, recovery_limit: '2s' },
      {
        onEvent(event) {
          if (event.type === 'effect-started' && event.changes.some(({ summary }) => summary.startsWith('k3s:')))
            over ??= lab.apiOutage(away);
        },
      },
    );
    back();
    await over;
    expect(exitCode).toBe(2);
    expect(text).toContain('the API server is not ready after 2 s');
    expect(versions(lab)['agent-1']).toBe(FROM);
  });
});
