import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlPlanes, shownSpan } from '../../runner/report/control-plane.ts';
import { recordOf } from '../../runner/report/record.ts';
import { shownDuration } from '../../runner/report/time.ts';
import { startLab } from '../lab/lab.ts';
import { MAIN, ROOT } from '../support/program.ts';
import { large } from '../support/size.ts';
import { upgradeProcess } from './support/cli.ts';
import { upgrade } from './support/run-upgrade.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';
/** milliseconds that a question may come late when the machine has much else to do. */
const SLACK = 2_000;

let runs: string;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'reeve-upgrade-reports-'));
  process.env.REEVE_RUNS = runs;
});
afterEach(() => {
  delete process.env.REEVE_RUNS;
  rmSync(runs, { recursive: true, force: true });
});

// Not a synchronous one: the lab it asks lives in this process.
const execute = promisify(execFile);
async function history(inventory: string): Promise<string> {
  const args = [MAIN, 'history', '--cluster', '-i', inventory];
  return (await execute(process.execPath, args, { cwd: ROOT, env: { ...process.env, KUBECONFIG: '' } })).stdout;
}

describe('what an upgrade leaves for people', () => {
  it('an action log that says what really happened to the cluster, and an entry in the cluster', large, async () => {
    await using lab = await startLab({ version: FROM });
    const placed = () =>
      lab.api.state
        .list('pods')
        .map(
          ({ metadata, spec }) =>
            `| ${(spec as { nodeName: string }).nodeName} | ${metadata.namespace}/${metadata.name} | `,
        );
    const before = placed();
    const { exitCode, events } = await upgradeProcess(lab, { version: TO });
    expect(exitCode).toBe(0);
    const log = readFileSync(join(runs, events[0]!.run, 'action-log.md'), 'utf8');

    const [was, is] = [log.split('## Operation Plan')[0], log.split('## Post-Operation State')[1]];
    for (const row of before) expect(was).toContain(row);
    for (const row of placed()) expect(is).toContain(row);
    const evicted = lab.api.mutations.filter(({ subresource, code }) => subresource === 'eviction' && code < 300);
    const told = [...log.matchAll(/^\| default\/Deployment\/\S+ \| (\d+) \|/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    expect(told).toBe(evicted.length);
    expect(log).toMatch(/\*\*Ready again after a restart\*\*: server-1 API server [\d.]+ s/);

    const remembered = await history(lab.inventoryFile);
    expect(remembered).toMatch(new RegExp(`done +${RegExp.escape(FROM)} → ${RegExp.escape(TO)}`));
    expect(remembered).toContain(events[0]!.run);
  });

  it('when the control plane did not answer, as the API server itself knows it', large, async () => {
    // Long enough to be seen by somebody who asks once a second.
    await using lab = await startLab({ version: FROM, agents: 1, startMs: 4_000 });
    const known = lab.api.server.absences.length;
    const { exitCode, events } = await upgradeProcess(lab, { version: TO });
    expect(exitCode).toBe(0);
    const absences = lab.api.server.absences.slice(known);
    expect(absences).toHaveLength(1);
    const [{ from, until }] = absences as [{ from: number; until: number }];

    // The agent was restarted as well, for as long: only the server's restart took the API away.
    const [plane] = controlPlanes(recordOf(events));
    expect(plane!.servers.map(({ asked }) => asked)).toEqual([`${lab.api.url} through server-1`]);
    expect(plane!.away).toHaveLength(1);
    const [gap] = plane!.away;
    expect(gap!.open).toBe(false);
    expect(Math.abs(gap!.from - from)).toBeLessThan(plane!.interval + SLACK);
    expect(Math.abs(gap!.until - until)).toBeLessThan(plane!.interval + SLACK);
    const log = readFileSync(join(runs, events[0]!.run, 'action-log.md'), 'utf8');
    expect(log).toContain(`**Downtime**: control plane ${shownDuration(gap!.duration)}; `);
    expect(log).toContain(`**Control plane did not answer**: ${shownSpan(gap!)}; asked every second`);
  });

  it('that a control plane of three always answered, and when each server did not', large, async () => {
    await using lab = await startLab({ version: FROM, servers: 3, agents: 0, startMs: 3_000 });
    const { exitCode, events } = await upgradeProcess(lab, { version: TO });
    expect(exitCode).toBe(0);
    const [plane] = controlPlanes(recordOf(events));
    expect(plane!.away).toEqual([]);
    const gaps = plane!.servers.map(({ asked, spans }) => `${asked.split(' through ')[1]} ${spans.length}`);
    expect(gaps.sort()).toEqual(['server-1 1', 'server-2 1', 'server-3 1']);
  });

  it('a check asks nobody', async () => {
    await using lab = await startLab({ version: FROM, agents: 0 });
    const { exitCode, events } = await upgrade(lab, { version: TO }, { check: true });
    expect(exitCode).toBe(0);
    expect(controlPlanes(recordOf(events))).toEqual([]);
  });

  it(
    'what a failure left behind: the cluster then, and the node, also after a rollback that is refused',
    large,
    async () => {
      await using lab = await startLab({ version: FROM, agents: 1 });
      lab.hosts.get('agent-1').setKnob('k3s-start', 'fail');
      const { exitCode, events } = await upgradeProcess(lab, { version: TO, recovery_limit: '3s' });
      expect(exitCode).toBe(2);
      const log = () => readFileSync(join(runs, events[0]!.run, 'action-log.md'), 'utf8');
      expect(log().split('## Post-Operation State')[1]).toMatch(/^\| agent-1 \| NotReady, cordoned \| agent \|/m);
      expect(log()).toMatch(/^### Phase 4: Agents\n/m);
      expect(log()).toContain('**Root Cause**: Its own log says: failed to start networking');
      const undo = [MAIN, 'rollback', 'last', '--yes'];
      const back = await execute(process.execPath, undo, { cwd: ROOT }).catch((error) => error as { stdout: string });
      expect(back.stdout).toContain('REFUSED agent-1: Install k3s');
      expect(log()).toMatch(/- \[ \] Node agent-1 is left cordoned; half upgraded: /);
    },
  );

  it('an entry that never ended when the upgrade failed; none when it is turned off', large, async () => {
    await using lab = await startLab({ version: FROM });
    lab.hosts.get('server-1').setKnob('install', 'fail');
    const quiet = await upgradeProcess(lab, { version: TO, history: 'false' });
    expect(quiet.exitCode).toBe(2);
    expect(await history(lab.inventoryFile)).toBe('the cluster remembers no upgrade\n');
    const failed = await upgradeProcess(lab, { version: TO });
    expect(failed.exitCode).toBe(2);
    expect(await history(lab.inventoryFile)).toContain('not ended');
    const log = readFileSync(join(runs, failed.events[0]!.run, 'action-log.md'), 'utf8');
    expect(log).toMatch(/### Issue 1: Install k3s failed on server-1/);
  });
});
