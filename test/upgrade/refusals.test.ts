import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidError } from '../../runner/errors.ts';
import { deployment } from '../lab/api/fixtures.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { large } from '../support/size.ts';
import { type UpgradeOptions, upgrade } from './support/run-upgrade.ts';

const FROM = 'v1.30.4+k3s1';

let lab: Lab;
let before: string;

beforeAll(async () => {
  lab = await startLab({
    agents: 1,
    available: ['v1.30.8+k3s1', 'v1.31.5+k3s1', 'v1.32.1+k3s1'],
    objects: [deployment('web', { nodes: ['agent-1'] })],
  });
  before = lab.fingerprint();
});
afterAll(() => lab.stop());

/** Runs the upgrade, which must end with that exit code and without a single write. */
async function refused(inputs: Record<string, string>, options?: UpgradeOptions, code = 2): Promise<string> {
  const { exitCode, text } = await upgrade(lab, inputs, options);
  expect([exitCode, text]).toEqual([code, text]);
  expect(lab.fingerprint()).toBe(before);
  return text;
}

describe('what is refused before anything is touched', () => {
  it('agents first over a minor', async () => {
    const text = await refused({ version: 'v1.31.5+k3s1', order: 'agents-first' });
    expect(text).toContain('A node must not be newer than the API servers');
    expect(text).toContain('order=servers-first');
  });

  it('agents alone over a minor', async () => {
    const text = await refused({ version: 'v1.31.5+k3s1' }, { limit: 'agents' });
    expect(text).toContain('A node must not be newer than the API servers');
  });

  it('a skipped minor, with the way to go', async () => {
    const text = await refused({ channel: 'stable' });
    expect(text).toContain(`${FROM} → v1.32.1+k3s1 skips a minor version`);
    expect(text).toContain(`go one minor at a time: ${FROM} → v1.31.5+k3s1 → v1.32.1+k3s1`);
  });

  it('a way back', large, async () => {
    const text = await refused({ version: 'v1.30.1+k3s1' });
    expect(text).toContain(`${FROM} is installed, which is newer than v1.30.1+k3s1`);
    expect(text).toContain('restore a snapshot');
  });

  it('a version that is none, and an unknown channel', async () => {
    expect(await refused({ version: '1.31' })).toContain('1.31 is no k3s version');
    expect(await refused({ channel: 'stabel' })).toContain('no version for the channel stabel');
  });

  it.each([
    ['timeout', 'ten', /must be a duration such as 90s, 5m or 1h30m, not the text "ten"$/],
    ['timeout', '0', /timeout/],
    ['recovery_limit', 'soon', /must be a duration/],
    ['recovery_limit', '0s', /recovery_limit/],
    ['node_time', '600', /node_time/],
    ['grace', '-5', /a whole number of at least -1/],
  ])('an input %s of %s, before any connection and with what it means', async (name, value, message) => {
    const error = await upgrade(lab, { version: 'v1.31.5+k3s1', [name]: value }).catch((caught) => caught);
    expect(error).toBeInstanceOf(InvalidError);
    expect(error.diagnostics).toHaveLength(1);
    expect(error.diagnostics[0].message).toMatch(message);
    expect(error.diagnostics[0].hint).toMatch(/^(How long|Seconds)/);
    expect(lab.fingerprint()).toBe(before);
  });

  it('a cluster that is not well, unless that is accepted', async () => {
    lab.api.setNode('agent-1', { conditions: { DiskPressure: true } });
    try {
      const text = await refused({ version: 'v1.31.5+k3s1' });
      expect(text).toContain('The cluster is not well enough for an upgrade');
      expect(text).toContain('node agent-1: has DiskPressure');
      expect(text).toContain('accept_problems=true');
      const accepted = await upgrade(lab, { version: 'v1.31.5+k3s1', accept_problems: 'true' }, { check: true });
      expect(accepted.exitCode).toBe(0);
    } finally {
      lab.api.setNode('agent-1', { conditions: { DiskPressure: false } });
    }
  });

  it('a service that does not answer', large, async () => {
    const url = `${lab.artifacts.url}/nothing`;
    const text = await refused({ version: 'v1.31.5+k3s1', check_urls: `["${url}"]` });
    expect(text).toContain(url);
    expect(text).toContain('404');
  });

  it('a query without a result, and a command that fails', large, async () => {
    const queries = JSON.stringify([{ url: lab.artifacts.url, query: 'up == 0' }]);
    expect(await refused({ version: 'v1.31.5+k3s1', check_queries: queries })).toContain('Queries have results');
    const text = await refused({ version: 'v1.31.5+k3s1', check_commands: '["echo no database >&2; exit 3"]' });
    expect(text).toMatch(/Commands succeed.*exit code 3/);
    expect(text).toContain('no database');
  });

  it('a datastore that is not where it is looked for', async () => {
    const db = join(lab.hosts.get('server-1').root, 'var/lib/rancher/k3s/server/db');
    renameSync(db, `${db}-elsewhere`);
    const moved = lab.fingerprint();
    try {
      const { exitCode, text } = await upgrade(lab, { version: 'v1.31.5+k3s1' });
      expect([exitCode, text]).toEqual([2, text]);
      expect(text).toMatch(/No datastore was found in \S+\/var\/lib\/rancher\/k3s, .*k3s_data_dir/s);
      expect(lab.fingerprint()).toBe(moved);
    } finally {
      renameSync(`${db}-elsewhere`, db);
    }
  });

  it('a maintenance window that is too short for the nodes', large, async () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    const text = await refused({ version: 'v1.30.8+k3s1', window_end: inAnHour, node_time: '40m' });
    expect(text).toContain(`The window ends at ${inAnHour}; at 40m a node these do not fit into it: server-1 agent-1.`);
    const one = { version: 'v1.30.8+k3s1', window_end: inAnHour, node_time: '40m' };
    expect((await upgrade(lab, one, { limit: 'servers', check: true })).exitCode).toBe(0);
  });

  it('an upgrade that people cannot be told of', large, async () => {
    const text = await refused({ version: 'v1.30.8+k3s1', notify_url: `${lab.artifacts.url}/nobody` });
    expect(text).toContain('Tell people');
  });

  it('a unit with lines that the install script would lose', async () => {
    const unit = join(lab.hosts.get('agent-1').root, 'etc/systemd/system/k3s-agent.service');
    const text = readFileSync(unit, 'utf8');
    writeFileSync(unit, text.replace('[Service]', '[Service]\nNice=-5'));
    const changed = lab.fingerprint();
    try {
      const run = await upgrade(lab, { version: 'v1.31.5+k3s1' });
      expect(run.text).toContain('the install script would lose Nice=');
      expect([run.exitCode, lab.fingerprint()]).toEqual([2, changed]);
    } finally {
      writeFileSync(unit, text);
    }
  });

  it('a version that cannot be downloaded is found before its node restarts', large, async () => {
    const { exitCode, text } = await upgrade(lab, { version: 'v1.30.7+k3s1' });
    expect(exitCode).toBe(2);
    expect(text).toContain('Download failed');
    expect(text).toContain('put back');
  });
});
