import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliFolder } from '../../support/cli.ts';
import { large } from '../../support/size.ts';

let folder: CliFolder;
beforeEach(() => {
  folder = new CliFolder();
  folder.write('inventory.yaml', {
    reeve: 1,
    all: {
      vars: { transport: 'local', reeve_dir: folder.dir, base: folder.dir },
      hosts: { x: {}, y: {} },
    },
  });
  folder.write('x/first', 'old\n');
});
afterEach(() => folder[Symbol.dispose]());

/** The second play writes, then fails on x for as long as `bad` is there. */
const playbook = (more: Record<string, unknown> = {}) =>
  folder.write('play.yaml', {
    plays: [
      {
        name: 'First',
        hosts: 'x',
        tasks: [{ name: 'first', copy: { content: 'new\n', dest: '{{ base }}/x/first' } }],
      },
      {
        name: 'Second',
        hosts: 'all',
        tasks: [
          { name: 'second', copy: { content: 'new\n', dest: '{{ base }}/second-{{ host.name }}' } },
          { name: 'fails', fail: { msg: 'bad' }, when: "host.name == 'x' && inputs.bad" },
          { name: 'third', copy: { content: 'new\n', dest: '{{ base }}/third-{{ host.name }}' } },
        ],
        rollback: [{ name: 'tell', copy: { content: 'told\n', dest: '{{ base }}/told-{{ host.name }}' } }],
        ...more,
      },
      { name: 'After', hosts: 'y', tasks: [{ name: 'after', copy: { content: 'x', dest: '{{ base }}/after' } }] },
    ],
    inputs: { bad: { type: 'boolean', default: true } },
  });
const has = (name: string) => existsSync(join(folder.dir, name));
const first = () => readFileSync(join(folder.dir, 'x/first'), 'utf8');

describe('when hosts fail', () => {
  it('stop, the default: the other hosts finish the play, no play after it runs', async () => {
    const { code } = await folder.run(['run', playbook()]);
    expect(code).toBe(2);
    expect([has('second-x'), has('third-y'), has('third-x'), has('after')]).toEqual([true, true, false, false]);
  });

  it('--on-failure rollback takes back all that the run has changed, and says so', async () => {
    const { code, stdout } = await folder.run(['run', playbook(), '--on-failure', 'rollback']);
    expect(code).toBe(2);
    expect(stdout).toContain('its changes were taken back');
    expect([has('second-x'), has('second-y'), has('third-y'), has('after')]).toEqual([false, false, false, false]);
    expect(first()).toBe('old\n');
    expect([has('told-x'), has('told-y')]).toEqual([true, true]);
    const status = await folder.run(['status']);
    expect(status.stdout).toContain('rolled back');
    expect((await folder.run(['resume', 'last'])).code).toBe(6);
  });

  it('on_failure: rollback takes back that play only', async () => {
    const { code, stdout } = await folder.run(['run', playbook({ on_failure: 'rollback' })]);
    expect(code).toBe(2);
    expect(stdout).toContain('the changes of play "Second" were taken back');
    expect([has('second-x'), has('third-y'), has('after')]).toEqual([false, false, false]);
    expect(first()).toBe('new\n');
  });

  it('a rollback of one play that stops is gone on with as that', large, async () => {
    const rollback = [{ name: 'tell', fail: { msg: 'no' } }];
    const { code, stdout } = await folder.run(['run', playbook({ on_failure: 'rollback', rollback })]);
    expect([code, stdout]).toEqual([2, expect.stringMatching(/`reeve rollback \S+ --to "First"` goes on with it/)]);
    expect((await folder.run(['status'])).stdout).toMatch(
      /`reeve rollback \S+ --to "First"` goes on with the rollback/,
    );
  });

  it('what was there before comes back, on hosts of earlier batches too', large, async () => {
    const file = playbook({ on_failure: 'rollback', serial: 1, hosts: 'y:x' });
    folder.write('second-y', 'before\n');
    const { stdout } = await folder.run(['run', file, '--output', 'json']);
    expect(stdout).toContain('"type":"rollback-ended"');
    expect(readFileSync(join(folder.dir, 'second-y'), 'utf8')).toBe('before\n');
  });

  it('--on-failure pause starts nothing more on any host, and resume goes on', async () => {
    const { code, stdout } = await folder.run(['run', playbook(), '--on-failure', 'pause']);
    expect(code).toBe(2);
    expect([has('second-x'), has('second-y'), has('third-y'), has('after')]).toEqual([true, true, false, false]);
    const id = /reeve resume (\S+)`/.exec(stdout)?.[1];
    expect(stdout).toContain('paused after a failure in play "Second"');
    // What it failed for is mended.
    rmSync(join(folder.dir, 'second-y'));
    const resumed = await folder.run(['resume', id!, '-e', 'bad=false']);
    expect(resumed.code).toBe(0);
    expect([has('second-y'), has('third-x'), has('third-y'), has('after')]).toEqual([false, true, true, true]);
  });

  it('a play that says continue goes on whatever the command line says', large, async () => {
    const { code } = await folder.run(['run', playbook({ on_failure: 'continue' }), '--on-failure', 'pause']);
    expect(code).toBe(2);
    expect(has('after')).toBe(true);
  });

  it('no other word is taken', async () => {
    expect((await folder.run(['run', playbook(), '--on-failure', 'panic'])).code).toBe(5);
  });
});
