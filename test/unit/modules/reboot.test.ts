import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reboot } from '../../../modules/system/reboot.ts';
import { ReeveError } from '../../../runner/module.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts } from '../../lab/hosts/types.ts';
import { type LabTarget, labTarget } from '../../support/lab-target.ts';
import { exampleArgs, fillArgs } from './support.ts';

let lab: LabHosts;
let host: LabHost;
let lt: LabTarget;
let dropped = 0;

beforeAll(async () => {
  lab = await startHosts({ hosts: [{ name: 'h' }], rebootMs: 20 });
  host = lab.get('h');
  lt = labTarget(host, ['sh'], { dropConnection: async () => void dropped++ });
});
afterAll(async () => {
  lt.dispose();
  await lab.stop();
});

const plan = (args: Record<string, unknown> = {}) => reboot.plan(fillArgs(reboot, { delay: 0, ...args }), lt.target);

describe('reboot', () => {
  it.each(reboot.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(reboot, exampleArgs(reboot, yaml))).not.toThrow();
  });

  it('restarts the host, waits for another boot id and for the test', async () => {
    const before = host.bootId;
    const planned = await plan({ test_command: '[ -e "$LAB_ROOT/tmp/up" ] || { : >"$LAB_ROOT/tmp/up"; false; }' });
    expect(planned.changes).toEqual([{ summary: 'reboot' }]);
    expect(host.bootId).toBe(before);
    const { facts } = await reboot.apply!(planned.next!, lt.target);
    expect(host.bootId).not.toBe(before);
    expect(facts).toMatchObject({ rebooted: true });
    expect(existsSync(join(host.root, 'tmp/up'))).toBe(true);
    expect(dropped).toBe(1);
    expect(lt.nodeState).toBeUndefined();
  });

  it('is not content with a connection to the system that was there before', async () => {
    const planned = await plan({ reboot_command: ':', timeout: 0 });
    const error = await reboot.apply!(planned.next!, lt.target).catch((e) => e);
    expect(error).toMatchObject({ code: 'deadline' });
    expect(error.message).toContain('it has not gone down yet');
  });

  it('waits while the host does not answer', async () => {
    const planned = await plan({ reboot_command: ':' });
    let tries = 0;
    const away = {
      ...lt.target,
      sleep: async () => {},
      read: async (script: string) => {
        if (++tries < 4) throw new ReeveError('unreachable', 'away');
        writeFileSync(join(host.root, 'lab/boot_id'), `another ${tries}\n`);
        return lt.target.read(script);
      },
    };
    expect((await reboot.apply!(planned.next!, away)).facts).toMatchObject({ rebooted: true });
  });
});
