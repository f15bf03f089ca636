import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from '../../../runner/journal/read.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { CliFolder } from '../../support/cli.ts';
import { DEATH, type DeathPoint } from '../../support/death-point.ts';
import { supportUrl } from '../../support/program.ts';
import { large, sampled } from '../../support/size.ts';

const LEASE = 'reeve-deploy';

let api: Api;
let folder: CliFolder;
let file: string;
let written: string;
beforeEach(async () => {
  api = await startApi({ version: 'v1.30.4+k3s1' });
  folder = new CliFolder();
  written = join(folder.dir, 'written');
  const vars = { transport: 'local', reeve_dir: folder.dir, kubeconfig: folder.write('kubeconfig', api.kubeconfig()) };
  folder.write('inventory.yaml', { reeve: 1, all: { vars, hosts: { here: {}, localhost: {} } } });
  file = folder.write('play.yaml', {
    lock: 'deploy',
    plays: [{ hosts: 'here', tasks: [{ name: 'write', copy: { dest: written, content: 'x' } }] }],
  });
});
afterEach(async () => {
  folder[Symbol.dispose]();
  await api.stop();
});

const isHeld = () => api.state.get('leases', LEASE, 'kube-system') !== undefined;
const events = () => {
  const runs = join(folder.dir, '.reeve/runs');
  return readJournal(join(runs, readdirSync(runs).sort()[0]!, 'events.jsonl')).events;
};
const ends = () => events().flatMap((event) => (event.type === 'rollback-ended' ? [event.ok] : []));
const dying = (point: DeathPoint) => ({
  NODE_OPTIONS: `--import=${supportUrl('die-at')}`,
  [DEATH]: JSON.stringify(point),
});
const said = async (...args: string[]) => {
  const { code, stdout, stderr } = await folder.run(args);
  return { code, text: stdout + stderr };
};

/** A rollback that is killed at a moment while it holds its lock, or has just given it back. */
async function killedAt(point: DeathPoint): Promise<void> {
  expect(await folder.run(['run', file])).toMatchObject({ code: 0 });
  expect([isHeld(), existsSync(written)]).toEqual([false, true]);
  expect((await folder.run(['rollback', 'last', '--yes'], dying(point))).code).toBe(null);
}

describe('a rollback that is killed', () => {
  it.each<[string, DeathPoint]>([
    ['has taken its lock', { key: 'lock-taken', nth: 1, edge: 'after' }],
    ['has said that it begins', { key: 'rollback-started', nth: 1, edge: 'after' }],
  ])('when it %s leaves the lock behind; the next one takes it at once', large, async (_, point) => {
    await killedAt(point);
    expect([isHeld(), existsSync(written)]).toEqual([true, true]);
    expect((await said('lock', 'list')).text).toMatch(/^deploy: run \S+ of .*; its process is gone: `reeve status /);
    expect(JSON.parse((await said('lock', 'list', '--json')).text)).toEqual([
      expect.objectContaining({ name: 'deploy', alive: false }),
    ]);
    expect((await said('status')).text).toContain('the lock deploy was not given back');

    const back = await said('rollback', 'last', '--yes');
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
    expect(back.text).not.toContain('looking for up to');
    expect([isHeld(), existsSync(written), ends()]).toEqual([false, false, [true]]);
    expect((await said('lock', 'list')).text).toBe('no lock is held in the cluster\n');
    expect((await said('status')).text).not.toContain('was not given back');
  });

  it('when all is undone, and its lock not given back, has not ended: the next one ends it and frees the lock', async () => {
    // The last that it records before it gives the lock back.
    await killedAt({ key: 'undo-ended here plays[0].tasks[0]', nth: 1, edge: 'after' });
    expect([isHeld(), existsSync(written), ends()]).toEqual([true, false, []]);
    expect((await said('status')).text).toMatch(/`reeve rollback \S+` goes on with the rollback/);
    expect((await said('resume', 'last')).text).toContain('this run is being taken back');
    expect(isHeld()).toBe(true);

    const back = await said('rollback', 'last', '--yes');
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Everything is taken back; only the end is')]);
    expect([isHeld(), ends()]).toEqual([false, [true]]);
    expect((await said('rollback', 'last', '--yes')).text).toContain('There is nothing to take back');
  });

  it.each(
    sampled<[string, DeathPoint, boolean[]]>(
      [
        ['has given its lock back and not recorded it', { key: 'lock-released', nth: 1, edge: 'before' }, []],
        ['has given its lock back and not recorded its end', { key: 'rollback-ended', nth: 1, edge: 'before' }, []],
        ['has recorded its end', { key: 'rollback-ended', nth: 1, edge: 'after' }, [true]],
      ],
      1,
    ),
  )('when it %s leaves no lock: another run goes on at once', async (_, point, ended) => {
    await killedAt(point);
    expect([isHeld(), existsSync(written), ends()]).toEqual([false, false, ended]);
    expect((await said('lock', 'list')).text).toBe('no lock is held in the cluster\n');
    const other = await said('run', file);
    expect([other.code, other.text]).toEqual([0, expect.not.stringContaining('looking for up to')]);
    expect(isHeld()).toBe(false);
  });

  it('and did give its lock back is ended by the next one, which takes the lock and gives it back', large, async () => {
    await killedAt({ key: 'rollback-ended', nth: 1, edge: 'before' });
    const back = await said('rollback', 'last', '--yes');
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back.')]);
    expect([isHeld(), ends()]).toEqual([false, [true]]);
  });

  it('cannot take its lock while another run has it: it is refused, and undoes nothing', large, async () => {
    await killedAt({ key: 'rollback-started', nth: 1, edge: 'after' });
    // Somebody broke the lock, and another run has it.
    expect((await said('lock', 'break', 'deploy')).code).toBe(0);
    const go = folder.gate('go');
    const waiting = folder.write('waiting.yaml', {
      lock: 'deploy',
      plays: [{ hosts: 'here', tasks: [{ name: 'wait', shell: `echo begun; ${go.wait}` }] }],
    });
    const quick = { NODE_OPTIONS: `--import=${supportUrl('quick-locks')}` };
    const other = folder.start(['run', waiting, '-v'], quick);
    await other.until('begun');
    const run = readdirSync(join(folder.dir, '.reeve/runs')).sort()[0]!;
    const refused = await folder.run(['rollback', run, '--yes'], quick);
    expect([refused.code, refused.stdout]).toEqual([6, expect.stringContaining('deploy is locked by run ')]);
    expect([existsSync(written), isHeld()]).toEqual([true, true]);
    go.open();
    expect((await other.ended).code).toBe(0);
  });

  it('inside of a run (--on-failure rollback) has given the lock back before it records its end', large, async () => {
    const failing = folder.write('failing.yaml', {
      lock: 'deploy',
      plays: [
        { hosts: 'here', tasks: [{ copy: { dest: written, content: 'x' } }, { name: 'fail', command: 'false' }] },
      ],
    });
    const point: DeathPoint = { key: 'rollback-ended', nth: 1, edge: 'after' };
    const { code } = await folder.run(['run', failing, '--on-failure', 'rollback'], dying(point));
    expect([code, isHeld(), existsSync(written)]).toEqual([null, false, false]);
    expect((await said('resume', 'last')).text).toContain('this run was taken back');
  });
});

it('a lock that cannot be given back is told, with what frees it', large, async () => {
  const go = folder.gate('go');
  const cut = folder.write('cut.yaml', {
    lock: 'deploy',
    plays: [{ hosts: 'here', tasks: [{ name: 'wait', shell: `echo begun; ${go.wait}` }] }],
  });
  const run = folder.start(['run', cut, '-v']);
  await run.until('begun');
  await api.goAway();
  go.open();
  const { code, stdout } = await run.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('the lock deploy could not be given back');
  expect(stdout).toContain('`reeve lock break deploy` frees it');
  expect((await said('status')).text).toContain('the lock deploy was not given back');
  await api.comeBack({});
  expect(isHeld()).toBe(true);
});
