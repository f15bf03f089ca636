import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseUnitState } from '../../../modules/shared/units.ts';
import { service } from '../../../modules/system/service.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts, ShellName } from '../../lab/hosts/types.ts';
import { type LabTarget, labTarget } from '../../support/lab-target.ts';
import { describeShells } from '../../support/shells.ts';
import { exampleArgs, fillArgs } from './support.ts';

describeShells('service on %s', ({ name }) => suite(name));

function suite(shell: ShellName): void {
  let lab: LabHosts;
  let host: LabHost;
  let lt: LabTarget;
  const units = (path: string) => join(host.root, 'etc/systemd/system', path);
  const unitFile = (command: string, type = 'simple') =>
    `[Service]\nType=${type}\nExecStart=/bin/sh -c '${command}'\n[Install]\nWantedBy=multi-user.target\n`;
  const plan = (args: Record<string, unknown>) => service.plan(fillArgs(service, { name: 'web', ...args }), lt.target);
  async function run(args: Record<string, unknown>) {
    const planned = await plan(args);
    if (planned.changes.length === 0) return { facts: planned.facts, undo: undefined };
    return service.apply!(planned.next!, lt.target);
  }
  const is = async (verb: string) => (await lt.target.read(`systemctl is-${verb} web`)).stdout.trim();

  beforeAll(async () => {
    lab = await startHosts({ hosts: [{ name: 'h', shell }] });
    host = lab.get('h');
    host.setKnob('stop-sec', '0.1');
    lt = labTarget(host, shell === 'busybox' ? ['busybox', 'sh'] : [shell]);
  });
  afterAll(async () => {
    lt.dispose();
    await lab.stop();
  });
  beforeEach(async () => {
    await lt.target.run('systemctl unmask web; systemctl disable web; systemctl stop web');
    writeFileSync(units('web.service'), unitFile('exec sleep 1000'));
    await lt.target.run('systemctl daemon-reload');
  });

  it('starts and enables, and then has nothing to do', async () => {
    const planned = await plan({ state: 'started', enabled: true });
    expect(planned.changes.map((change) => change.summary)).toEqual(['web: enable', 'web: start']);
    expect(planned.predicted).toMatchObject({ active: 'active', enabled: true });
    const { facts, undo } = await service.apply!(planned.next!, lt.target);
    expect(facts).toMatchObject({ active: 'active', enabled: true, manager: 'systemd' });
    expect([await is('active'), await is('enabled')]).toEqual(['active', 'enabled']);
    lt.reads.length = 0;
    expect((await plan({ state: 'started', enabled: true })).changes).toEqual([]);
    expect(lt.reads).toHaveLength(1);
    await service.undo!(undo as never, lt.target);
    expect([await is('active'), await is('enabled')]).toEqual(['inactive', 'disabled']);
  });

  it('restarts each time, and measures how long it was away', async () => {
    await run({ state: 'started' });
    const pid = async () => (await lt.target.read('systemctl show -p MainPID --value web')).stdout.trim();
    const before = await pid();
    const { facts } = await run({ state: 'restarted' });
    expect(await pid()).not.toBe(before);
    expect(facts).toMatchObject({ active: 'active' });
    expect(Number(facts!.downtime_seconds)).toBeGreaterThan(0);
    expect((await plan({ state: 'restarted' })).changes).toHaveLength(1);
    expect(service.isAction!(fillArgs(service, { name: 'web', state: 'restarted' }))).toBe(true);
  });

  it('stops, and masks after that', async () => {
    await run({ state: 'started' });
    const { undo } = await run({ state: 'stopped' });
    expect(await is('active')).toBe('inactive');
    await service.undo!(undo as never, lt.target);
    expect(await is('active')).toBe('active');
  });

  it('reads changed unit files again before a start', async () => {
    await run({ state: 'started' });
    await run({ state: 'stopped' });
    writeFileSync(units('web.service'), unitFile('touch "$LAB_ROOT"/tmp/new; exec sleep 1000'));
    expect((await plan({ state: 'started' })).changes.map((c) => c.summary)).toEqual([
      'web: daemon-reload',
      'web: start',
    ]);
    await run({ state: 'started' });
    await expect.poll(() => existsSync(join(host.root, 'tmp/new'))).toBe(true);
  });

  it('does not hang on a unit that never says it is ready, and shows its journal', async () => {
    writeFileSync(units('web.service'), unitFile('echo waiting for the others; exec sleep 1000', 'notify'));
    await lt.target.run('systemctl daemon-reload');
    const error = await run({ state: 'restarted', timeout: '1s' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'service-failed' });
    expect(error.message).toMatch(/still activating .* after restart/);
    expect(error.message).toContain('waiting for the others');
  });

  it('shows the journal of a unit that fails', async () => {
    writeFileSync(units('web.service'), unitFile('echo no such port; exit 3', 'notify'));
    await lt.target.run('systemctl daemon-reload');
    const error = await run({ state: 'started', timeout: '20s' }).catch((e) => e);
    expect(error.message).toMatch(/web is failed after start/);
    expect(error.message).toContain('no such port');
  });

  it('is unknown for a service that is not there yet, and content when it must not be there', async () => {
    expect(await plan({ name: 'none', state: 'started' })).toMatchObject({
      changes: [],
      unknown: expect.stringMatching('none'),
    });
    expect((await plan({ name: 'none', state: 'stopped', enabled: false })).unknown).toBeUndefined();
  });
}

describe('service', () => {
  it.each(service.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(service, exampleArgs(service, yaml))).not.toThrow();
  });

  it('wants something to do', () => {
    expect(() => fillArgs(service, { name: 'x' })).toThrow(/needs/);
    expect(() => fillArgs(service, { name: 'x', state: 'started', timeout: 'soon' })).toThrow(/duration/);
  });
});

describe('parseUnitState', () => {
  it('reads OpenRC', () => {
    const state = parseUnitState('Manager=openrc\nLoadState=loaded\nStatusCode=3\nUnitFileState=enabled\n');
    expect(state).toMatchObject({
      manager: 'openrc',
      exists: true,
      active: 'inactive',
      enabled: true,
      canEnable: true,
    });
    expect(parseUnitState('Manager=openrc\nLoadState=loaded\nStatusCode=32\n').active).toBe('failed');
  });

  it('knows units that cannot be enabled', () => {
    const state = parseUnitState('LoadState=loaded\nActiveState=active\nUnitFileState=static\nJob=12\n');
    expect(state).toMatchObject({ canEnable: false, enabled: false, jobPending: true });
    expect(parseUnitState('LoadState=not-found\n').exists).toBe(false);
    expect(parseUnitState('LoadState=masked\nUnitFileState=masked\n').masked).toBe(true);
  });
});
