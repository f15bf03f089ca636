import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliFolder } from '../../support/cli.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());
const runs = () => readdirSync(join(folder.dir, '.reeve/runs')).sort();
const play = (name: string, task: string) =>
  folder.write(`${name}.yaml`, `name: ${name}\nplays: [{ hosts: all, tasks: [{ ${task} }] }]\n`);
/** The run's file that says which process writes it, as another machine would have left it. */
const owner = (id: string, more: Record<string, unknown> = {}) =>
  writeFileSync(
    join(folder.dir, '.reeve/runs', id, 'pid.9'),
    JSON.stringify({ pid: 4711, host: 'far-away', started: '1', ...more }),
  );

beforeAll(async () => {
  folder.write('inventory.yaml', 'reeve: 1\nall: { vars: { transport: local }, hosts: { x: , y: } }\n');
  await folder.run(['run', play('site', 'command: { cmd: "true", reads: true }')]);
  await folder.run(['run', play('upgrade', 'command: { cmd: "false", reads: true }'), '--limit', 'x']);
  await folder.run(['run', play('upgrade', 'command: { cmd: "true", reads: true }'), '--limit', 'y', '--check']);
});

describe('reeve history', () => {
  const rows = async (...args: string[]) => {
    const { code, stdout } = await folder.run(['history', '--json', ...args]);
    expect(code).toBe(0);
    return JSON.parse(stdout).map((row: { run: string }) => runs().indexOf(row.run));
  };

  it('lists the newest first, and filters by playbook, host and result', async () => {
    expect(await rows()).toEqual([2, 1, 0]);
    expect(await rows('--playbook', 'upgrade')).toEqual([2, 1]);
    expect(await rows('--host', 'x')).toEqual([1, 0]);
    expect(await rows('--result', 'failed')).toEqual([1]);
    expect(await rows('--result', 'done', '--host', 'y', '--playbook', 'upgrade')).toEqual([2]);
    expect((await folder.run(['history', '--host', 'z'])).stdout).toBe('no recorded run fits\n');
  });

  it('takes no result that there is not', async () => {
    const { code, stderr } = await folder.run(['history', '--result', 'fialed']);
    expect([code, stderr]).toEqual([5, expect.stringContaining('it can be done, failed')]);
  });

  it('names a run that cannot be read, and lists the others', async () => {
    const broken = folder.write('.reeve/runs/20200101-000000000-aaaaaa/run.json', '{');
    const { code, stdout, stderr } = await folder.run(['history']);
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 3]);
    expect(stderr).toContain('run 20200101-000000000-aaaaaa cannot be read');
    rmSync(join(broken, '..'), { recursive: true });
  });
});

describe('a run whose process is on another machine', () => {
  it('says what cannot be known from here', async () => {
    const id = runs()[1]!;
    const events = join(folder.dir, '.reeve/runs', id, 'events.jsonl');
    // As it was before its end.
    writeFileSync(events, readFileSync(events, 'utf8').split('\n').slice(0, -2).join('\n') + '\n');
    owner(id);
    const { stdout } = await folder.run(['status', id]);
    expect(stdout).toMatch(
      /^upgrade: running or dead: process 4711 is on far-away, and cannot be seen from here; last heard of .* ago$/m,
    );
    expect(JSON.parse((await folder.run(['status', id, '--json'])).stdout)).toMatchObject({
      alive: null,
      elsewhere: { pid: 4711, host: 'far-away' },
    });
    expect((await folder.run(['history', '--result', 'unknown'])).stdout).toContain(id);
    const resumed = await folder.run(['resume', id]);
    expect([resumed.code, resumed.stderr]).toEqual([6, expect.stringContaining('far-away is gone for good')]);
    // The same process number here is of a process that is gone.
    owner(id, { host: hostname(), pid: 2 ** 22 - 1 });
    expect((await folder.run(['status', id])).stdout).toMatch(
      /^upgrade: died: its process is gone; last heard of .* ago, at 20/m,
    );
  });

  it('that has ended is told as that', async () => {
    const id = runs()[0]!;
    owner(id);
    expect((await folder.run(['status', id])).stdout).toMatch(/^site: done/m);
    expect((await folder.run(['history', '--result', 'done', '--playbook', 'site'])).stdout).toContain(id);
  });
});
