import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHosts } from '../../lab/hosts/types.ts';
import { CliFolder, inventoryOf } from '../../support/cli.ts';
import type { Gate } from '../../support/gate.ts';
import { large } from '../../support/size.ts';

const folder = new CliFolder();
let hosts: LabHosts;

beforeAll(async () => {
  hosts = await startHosts({ hosts: [{ name: 'one' }] });
  folder.write('inventory.yaml', inventoryOf(hosts));
});
afterAll(async () => {
  await hosts.stop();
  folder[Symbol.dispose]();
});

const flag = (name: string) => join(folder.dir, name);

/** A task that says that it runs, then waits until `go` is open, and leaves a trace of having ended. */
function waiting(go: Gate, done: string) {
  const script = `echo running; ${go.wait}; : >'${done}'`;
  return folder.write('wait.yaml', {
    plays: [
      {
        hosts: 'all',
        tasks: [
          { name: 'the long one', shell: script },
          { name: 'the next one', shell: `: >'${done}2'` },
        ],
      },
    ],
  });
}

describe('Ctrl-C on a run over SSH', () => {
  it('once: finishes the running task, starts nothing more, says so at once, exits with 130', async () => {
    const go = folder.gate('go1');
    const run = folder.start(['run', waiting(go, flag('done1')), '-v']);
    await run.until('one: running');
    run.child.kill('SIGINT');
    await run.until('finishing the running tasks; press Ctrl-C again to stop at once');
    expect(existsSync(flag('done1'))).toBe(false);
    go.open();
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/changed +one: the long one/);
    expect(stdout).not.toContain('the next one');
    expect(stdout).toContain('Interrupted after');
    expect(existsSync(flag('done1'))).toBe(true);
    expect(existsSync(flag('done12'))).toBe(false);
  });

  it('twice: ends the remote command and the run at once', async () => {
    const go = folder.gate('go2');
    const run = folder.start(['run', waiting(go, flag('done2')), '-v']);
    await run.until('one: running');
    run.child.kill('SIGINT');
    await run.until('finishing the running tasks');
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('stopping at once');
    // What would have gone on now has nobody to go on.
    go.open();
    const again = await folder.run(['run', waiting(go, flag('done2b'))]);
    expect(again.code).toBe(0);
    expect(existsSync(flag('done2'))).toBe(false);
  });

  it(
    'a terminal that goes away (SIGHUP, and nobody reads any more) lets the running task finish; resume does the rest',
    large,
    async () => {
      const go = folder.gate('go4');
      const run = folder.start(['run', waiting(go, flag('done4')), '-v']);
      await run.until('one: running');
      run.child.kill('SIGHUP');
      await run.until('finishing the running tasks');
      run.child.stdout.destroy();
      run.child.stderr.destroy();
      go.open();
      expect((await run.ended).code).toBe(130);
      expect([existsSync(flag('done4')), existsSync(flag('done42'))]).toEqual([true, false]);
      expect((await folder.run(['resume', 'last'])).code).toBe(0);
      expect(existsSync(flag('done42'))).toBe(true);
    },
  );

  it('SIGTERM is the same', async () => {
    const go = folder.gate('go3');
    const run = folder.start(['run', waiting(go, flag('done3')), '-v']);
    await run.until('one: running');
    run.child.kill('SIGTERM');
    await run.until('finishing the running tasks');
    go.open();
    expect((await run.ended).code).toBe(130);
  });
});

it('a run over SSH ends by itself, without waiting for the grace period of a stuck process', async () => {
  const file = folder.write('short.yaml', { plays: [{ hosts: 'all', tasks: [{ command: { argv: ['true'] } }] }] });
  // Were something still open, stderr would say what.
  const { code, stderr } = await folder.start(['run', file]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(hosts.get('one').counts.open).toBe(0);
});

it('Ctrl-C while an inventory program is asked ends the program too', async () => {
  const fifo = join(folder.dir, 'alive');
  execFileSync('mkfifo', [fifo]);
  chmodSync(folder.write('program', `#!/bin/sh\nexec 3>'${fifo}'\necho here >&3\nexec sleep 600\n`), 0o755);
  // It ends when nobody holds the other end any more.
  const alive = spawn('cat', [fifo]);
  const gone = once(alive, 'close');
  const run = folder.start(['inventory', '-i', 'program', '--list']);
  await once(alive.stdout, 'data');
  run.child.kill('SIGINT');
  await run.ended;
  expect(run.child.signalCode).toBe('SIGINT');
  await gone;
});
