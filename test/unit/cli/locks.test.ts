import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliFolder } from '../../support/cli.ts';
import type { Gate } from '../../support/gate.ts';
import { supportUrl } from '../../support/program.ts';
import { large } from '../../support/size.ts';

/** Who waits for a lock sees at once whether its holder is alive. */
const QUICK = { NODE_OPTIONS: `--import=${supportUrl('quick-locks')}` };

let folder: CliFolder;
/** Where the runs of `playbook` wait. */
let go: Gate;
beforeEach(() => {
  folder = new CliFolder({ env: QUICK });
  go = folder.gate('go');
  folder.write('inventory.yaml', {
    reeve: 1,
    all: {
      vars: { transport: 'local', reeve_dir: folder.dir, lock_dir: join(folder.dir, 'locks') },
      hosts: { here: {}, localhost: {} },
    },
  });
});
afterEach(() => folder[Symbol.dispose]());

const at = (name: string) => join(folder.dir, name);
/** Goes on when `go` is open, then writes `done`, then `next`. */
const playbook = (name: string, lock?: string) =>
  folder.write(`${name}.yaml`, {
    ...(lock ? { lock } : {}),
    plays: [
      {
        hosts: 'here',
        tasks: [
          {
            name: 'wait',
            shell: `echo begun; ${go.wait}; : >'${at(`${name}-done`)}'`,
          },
          { name: 'next', shell: `: >'${at(`${name}-next`)}'` },
        ],
      },
    ],
  });

describe('locks on the command line', () => {
  it('a second run with the same lock is refused, exit code 6, and says who holds it since when', async () => {
    const first = folder.start(['run', playbook('a', 'deploy@here'), '-v']);
    await first.until('begun');
    const listed = await folder.run(['lock', 'list', '@here']);
    expect(listed.stdout).toMatch(/^deploy: run \S+ of \S+ since 20\d\d-/);
    const second = await folder.run(['run', playbook('b'), '--lock', 'deploy@here']);
    expect(second.code).toBe(6);
    expect(second.stdout + second.stderr).toMatch(/deploy@here is locked by run \S+ of \S+ since 20/);
    expect(existsSync(at('b-next'))).toBe(false);
    go.open();
    expect((await first.ended).code).toBe(0);
    expect((await folder.run(['lock', 'list', '@here'])).stdout).toContain('no lock is held on here');
  });

  it('of twenty that start at the same moment with a lock on this machine exactly one goes on', large, async () => {
    const file = playbook('a', 'deploy@localhost');
    const runs = Array.from({ length: 20 }, () => folder.start(['run', file]));
    let open = runs.length;
    // The one that goes on waits for `go`: all others must end without it.
    const others = new Promise<void>((done) => {
      for (const run of runs) void run.ended.then(() => --open === 1 && done());
    });
    await others;
    expect((await folder.run(['lock', 'list', '@localhost', '--json'])).stdout).toContain('"deploy"');
    expect(existsSync(at('a-done'))).toBe(false);
    go.open();
    const ended = await Promise.all(runs.map((run) => run.ended));
    expect(ended.map(({ code }) => code).sort()).toEqual([0, ...Array.from({ length: 19 }, () => 6)]);
    for (const { code, stdout, stderr } of ended)
      if (code === 6) expect(stdout + stderr).toMatch(/deploy@localhost is locked by run \S+ of \S+ since 20/);
  });

  it('the lock of a run that was killed is told with the run; its resume takes it back at once', async () => {
    const run = folder.start(['run', playbook('a', 'deploy@here'), '-v']);
    await run.until('begun');
    const listed = JSON.parse((await folder.run(['lock', 'list', '@here', '--json'])).stdout);
    run.child.kill('SIGKILL');
    await run.ended;
    const after = JSON.parse((await folder.run(['lock', 'list', '@here', '--json'])).stdout);
    expect([listed, after]).toEqual([[{ ...after[0], alive: true }], [{ ...listed[0], alive: false }]]);
    const id = /^run (\S+) of /.exec(listed[0].holder)![1]!;
    expect(existsSync(at(`.reeve/runs/${id}/run.json`))).toBe(true);
    go.open();
    const resumed = await folder.run(['resume', id]);
    expect([resumed.code, resumed.stdout]).toEqual([0, expect.not.stringContaining('looking for up to')]);
    expect((await folder.run(['lock', 'list', '@here', '--json'])).stdout).toBe('[]\n');
  });

  it('--lock-wait waits for it, and says for whom', large, async () => {
    const first = folder.start(['run', playbook('a', 'deploy@here'), '-v']);
    await first.until('begun');
    const second = folder.start(['run', playbook('b', 'deploy@here'), '--lock-wait', '5m']);
    await second.until('waiting for the lock deploy@here: run ');
    expect(existsSync(at('b-next'))).toBe(false);
    go.open();
    expect((await first.ended).code).toBe(0);
    expect((await second.ended).code).toBe(0);
    expect(existsSync(at('b-next'))).toBe(true);
  });

  it('Ctrl-C ends the waiting at once, and takes nothing', async () => {
    const first = folder.start(['run', playbook('a', 'deploy@here'), '-v']);
    await first.until('begun');
    const second = folder.start(['run', playbook('b', 'deploy@here'), '--lock-wait', '1h']);
    await second.until('waiting for the lock deploy@here: run ');
    second.child.kill('SIGINT');
    // The first one still has it.
    expect((await second.ended).code).toBe(130);
    expect((await folder.run(['lock', 'list', '@here'])).stdout).toMatch(/^deploy: run /);
    go.open();
    expect((await first.ended).code).toBe(0);
    expect(existsSync(at('b-next'))).toBe(false);
  });

  it(
    'a rollback takes the locks of its run, waits for them where it is told to, and is refused otherwise',
    large,
    async () => {
      const written = folder.write('written.yaml', {
        plays: [{ hosts: 'here', tasks: [{ copy: { dest: at('written'), content: 'x' } }] }],
      });
      expect((await folder.run(['run', written, '--lock', 'deploy@here'])).code).toBe(0);
      const other = folder.start(['run', playbook('a', 'deploy@here'), '-v']);
      await other.until('begun');
      const id = readdirSync(at('.reeve/runs')).sort()[0]!;
      const refused = await folder.run(['rollback', id, '--yes']);
      expect([refused.code, refused.stdout]).toEqual([6, expect.stringContaining('deploy@here is locked by run ')]);
      const waiting = folder.start(['rollback', id, '--yes', '--lock-wait', '5m']);
      await waiting.until('waiting for the lock deploy@here: run ');
      expect(existsSync(at('written'))).toBe(true);
      go.open();
      expect((await other.ended).code).toBe(0);
      expect((await waiting.ended).code).toBe(0);
      expect(existsSync(at('written'))).toBe(false);
    },
  );

  it('a broken lock stops its run before the next effect; resume takes it again', async () => {
    const run = folder.start(['run', playbook('a'), '--lock', 'deploy@here', '-v']);
    await run.until('begun');
    const broken = await folder.run(['lock', 'break', 'deploy@here']);
    expect(broken.stdout).toMatch(/deploy@here is free; it was held by run /);
    // Its next renewal tells it, also while the one who breaks it has it for a moment.
    await run.until('; this run stops');
    go.open();
    const { code, stdout } = await run.ended;
    expect(code).toBe(6);
    expect(stdout).toMatch(/the lock deploy@here was (removed|taken by reeve lock break, by \S+); this run stops/);
    expect(stdout).not.toContain('Interrupted');
    expect([existsSync(at('a-done')), existsSync(at('a-next'))]).toEqual([true, false]);
    const header = readFileSync(at(`.reeve/runs/${/run (\S+) of/.exec(broken.stdout)![1]}/run.json`), 'utf8');
    expect(header).toContain('deploy@here');
    expect((await folder.run(['resume', 'last'])).code).toBe(0);
    expect(existsSync(at('a-next'))).toBe(true);
  });

  it('a lock on localhost needs no inventory entry; one on an unknown host is an error', large, async () => {
    go.open();
    const elsewhere = await folder.run(['run', playbook('a', 'deploy@nowhere')]);
    expect([elsewhere.code, elsewhere.stdout + elsewhere.stderr]).toEqual([
      4,
      expect.stringContaining('no host of the inventory'),
    ]);
    const wrong = await folder.run(['lock', 'break', 'other@here']);
    expect([wrong.code, wrong.stderr]).toEqual([6, expect.stringContaining('nobody has the lock')]);
  });
});
