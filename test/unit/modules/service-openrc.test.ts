import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { service } from '../../../modules/system/service.ts';
import type { RunOptions, WriteTarget } from '../../../runner/module.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHosts } from '../../lab/hosts/types.ts';
import { type LabTarget, labTarget } from '../../support/lab-target.ts';
import { fillArgs } from './support.ts';

/** What of rc-service and rc-update the module uses, with the exit codes of openrc-run. */
const rcService = `#!/bin/sh
services="$LAB_ROOT/run/rc"; mkdir -p "$services"
[ "$1" = --exists ] && { [ "$2" = web ]; exit; }
case $2 in
  status) [ -f "$services/$1" ] || exit 3 ;;
  start) [ ! -f "$LAB_ROOT/run/broken" ] || { echo "ERROR: $1 failed to start"; exit 1; }; : >"$services/$1" ;;
  stop) rm -f "$services/$1" ;;
  restart) : >"$services/$1"; echo x >>"$LAB_ROOT/run/restarts" ;;
esac`;
const rcUpdate = `#!/bin/sh
list="$LAB_ROOT/run/default"; touch "$list"
case $1 in
  show) sed 's/$/ | default/; s/^/ /' "$list" ;;
  add) echo "$2" >>"$list" ;;
  del) sed -i "/^$2$/d" "$list" ;;
esac`;

let lab: LabHosts;
let lt: LabTarget;
let target: WriteTarget;
const path = (name: string) => join(lab.get('h').root, name);

beforeAll(async () => {
  lab = await startHosts({ hosts: [{ name: 'h' }] });
  lt = labTarget(lab.get('h'));
  writeFileSync(path('usr/bin/rc-service'), rcService, { mode: 0o755 });
  writeFileSync(path('usr/bin/rc-update'), rcUpdate, { mode: 0o755 });
  const hidden = (script: string) => script.replaceAll('systemctl', 'no-such-program');
  target = {
    ...lt.target,
    read: (script: string, options?: RunOptions) => lt.target.read(hidden(script), options),
    run: (script: string, options?: RunOptions) => lt.target.run(hidden(script), options),
  };
});
afterAll(async () => {
  lt.dispose();
  await lab.stop();
});

async function run(args: Record<string, unknown>) {
  const planned = await service.plan(fillArgs(service, { name: 'web', ...args }), target);
  if (planned.changes.length === 0) return { planned };
  return { planned, ...(await service.apply!(planned.next!, target)) };
}

describe('service with OpenRC', () => {
  it('starts, enables, is content, and takes it back', async () => {
    const { facts, undo } = await run({ state: 'started', enabled: true });
    expect(facts).toMatchObject({ manager: 'openrc', active: 'active', enabled: true });
    expect((await run({ state: 'started', enabled: true })).planned.changes).toEqual([]);
    await run({ state: 'restarted' });
    expect(existsSync(path('run/restarts'))).toBe(true);
    await service.undo!(undo as never, target);
    expect((await run({ state: 'stopped', enabled: false })).planned.changes).toEqual([]);
  });

  it('says why a start failed, and that nothing can be masked', async () => {
    writeFileSync(path('run/broken'), '');
    await expect(run({ state: 'started' })).rejects.toThrow(/web failed to start/);
    await expect(run({ masked: true })).rejects.toThrow(/cannot mask/);
    expect((await run({ name: 'none', state: 'started' })).planned.unknown).toMatch('none');
  });
});
