import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statusOf } from '../../../runner/report/status.ts';
import { statusLines } from '../../../runner/report/status-lines.ts';
import { CliFolder, type CliProcess, LOCAL_INVENTORY } from '../../support/cli.ts';
import type { Gate } from '../../support/gate.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { MAIN } from '../../support/program.ts';
import { Terminal } from '../../support/terminal.ts';
import { failedUpgrade, upgradeEvents } from '../../support/upgrade-events.ts';

let folder: CliFolder;
let go: Gate;
beforeEach(() => {
  folder = new CliFolder();
  go = folder.gate('go');
  folder.write('inventory.yaml', LOCAL_INVENTORY);
});
afterEach(() => folder[Symbol.dispose]());

const flag = (name: string) => join(folder.dir, name);
const runId = () => readdirSync(flag('.reeve/runs'))[0]!;

/** A run whose task goes on until `go` is open. */
async function started(): Promise<CliProcess> {
  const tasks = [{ name: 'the long one', shell: `echo running; ${go.wait}` }];
  folder.write('long.yaml', { plays: [{ name: 'the only phase', hosts: 'here', tasks }] });
  const run = folder.start(['run', 'long.yaml', '-v', '--output', 'plain']);
  await run.until('here: running');
  return run;
}
const terminal = () =>
  new Terminal([process.execPath, MAIN, 'status', '--follow'], { cwd: folder.dir, columns: 80, rows: 20 });

describe('reeve status --follow in a real terminal', needs(missing('tmux')), () => {
  it('rewrites what the run is at, and ends by itself when the run does', async () => {
    const run = await started();
    using screen = terminal();
    await screen.until('here: the long one (for ');
    const [head] = screen.lines;
    expect(head).toBe('long: running');
    go.open();
    expect((await run.ended).code).toBe(0);
    const { code, lines } = await screen.end();
    expect(code).toBe(0);
    // One status stands there, not one below the other.
    expect(lines.filter((line) => line.startsWith('long: '))).toEqual(['long: done']);
    expect(lines).toContain('  play the only phase: here');
    expect(lines).toContain('  1 host: 1 task done, 1 changed, 0 failed');
  });

  it('says that the process of a killed run is gone, what it was at, and how to go on', async () => {
    const run = await started();
    using screen = terminal();
    await screen.until('long: running');
    run.child.kill('SIGKILL');
    const { code, lines } = await screen.end();
    go.open();
    expect(code).toBe(0);
    const text = lines.join('\n');
    expect(text).toMatch(/^long: died: its process is gone; last heard of .* ago, at /m);
    expect(text).toMatch(/^ {2}here: the long one \(was at it for /m);
    expect(text).toContain(`\`reeve resume ${runId()}\` goes on with it`);
    expect(text).not.toContain('long: running');
  });
});

describe('reeve status --follow into a pipe', () => {
  it('tells how it stands, each thing that happens, and how it ended', async () => {
    const run = await started();
    const follow = folder.start(['status', '--follow']);
    await follow.until('here: the long one (for ');
    go.open();
    await run.ended;
    const { code, stdout } = await follow.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('\x1b');
    expect(stdout).toMatch(/^long: running\n[\s\S]*^\S+Z SUCCESS {2}here: the long one: changed[\s\S]*^long: done$/m);
    expect(stdout.match(/the long one: changed/g)).toHaveLength(1);
  });

  it('ends at once for a run that is over', async () => {
    folder.write('short.yaml', { plays: [{ hosts: 'here', tasks: [{ name: 'short', command: 'true' }] }] });
    await folder.run(['run', 'short.yaml']);
    const { stdout } = await folder.run(['status', '--follow']);
    expect(stdout.match(/^short: done$/gm)).toHaveLength(1);
  });
});

describe('what a status says', () => {
  const now = Date.parse('2026-01-02T03:05:00.000Z');
  const lines = (events = upgradeEvents(), more = {}) =>
    statusLines(statusOf(events), { id: 'RUN', alive: false, now, ...more });

  it('the API that does not answer, for how long and why', () => {
    const at = upgradeEvents().findIndex(({ type }) => type === 'api-unavailable');
    expect(lines(upgradeEvents().slice(0, at + 1), { alive: true })).toContain(
      '  the API at https://10.0.0.1:6443 through k3s-1 has not answered for 39 s: connection refused',
    );
    expect(lines()).toContain('  the control plane did not answer for 4.0 s');
  });

  it('nodes that are left, handlers that are due, and the way on', () => {
    const text = lines(failedUpgrade()).join('\n');
    expect(text).toContain('failed: k3s-1: Install k3s — k3s is not up after 5m\n');
    expect(text).toContain('node k3s-1 is cordoned');
    expect(text).toContain('handlers that did not run: restart the proxy');
    expect(text).toContain('`reeve resume RUN` goes on with it');
  });

  it('a rollback that was cut off goes on as one', () => {
    const events = failedUpgrade([{ type: 'rollback-started', steps: 3 }]);
    expect(lines(events)[0]).toMatch(/^upgrade: died: its process is gone/);
    expect(lines(events).at(-1)).toBe('  `reeve rollback RUN` goes on with the rollback');
    expect(lines(events, { alive: true })[0]).toBe('upgrade: being rolled back');
  });

  it('that a run on another machine cannot be seen from here', () => {
    const elsewhere = { pid: 7, host: 'control-2' };
    expect(lines(upgradeEvents().slice(0, 5), { alive: true, elsewhere })[0]).toMatch(
      /^upgrade: running or dead: process 7 is on control-2, and cannot be seen from here; last heard of .* ago$/,
    );
  });
});

it('a terminal is not needed to look: the folder is enough', async () => {
  const { code, stderr } = await folder.run(['status']);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/no run/i);
});
