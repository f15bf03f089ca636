import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../runner/events.ts';
import { readJournal } from '../../runner/journal/read.ts';
import { deployment } from '../lab/api/fixtures.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { cordonedNodes, versions } from './support/timeline.ts';
import { until } from './support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FROM = 'v1.30.4+k3s1';
/** Within the minor: what goes back. */
const TO = 'v1.30.8+k3s1';

let runs: string;
let lab: Lab;
beforeEach(async () => {
  runs = mkdtempSync(join(tmpdir(), 'reeve-runs-'));
  const web = deployment('web', { nodes: ['agent-1'], behaviour: { terminatesAfter: 1 } });
  lab = await startLab({ agents: 1, version: FROM, objects: [web] });
});
afterEach(async () => {
  await lab.stop();
  rmSync(runs, { recursive: true, force: true });
});

/** `reeve …`; ends the process with SIGKILL when `dies` says so of its journal. */
function reeve(args: string[], dies?: (events: RunEvent[]) => boolean): Promise<{ code: number | null; text: string }> {
  const child: ChildProcess = spawn(process.execPath, ['runner/cli/main.ts', ...args, '--runs', runs], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KUBECONFIG: '' },
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (text += String(chunk)));
  const ended = new Promise<{ code: number | null; text: string }>((done) =>
    child.on('close', (code) => done({ code, text })),
  );
  if (dies) void until(() => child.exitCode !== null || dies(journal())).then(() => child.kill('SIGKILL'));
  return ended;
}

function journal(): RunEvent[] {
  const id = readdirSync(runs)[0];
  const file = join(runs, id ?? '', 'events.jsonl');
  return id !== undefined && existsSync(file) ? readJournal(file).events : [];
}

const upgrade = (dies?: (events: RunEvent[]) => boolean) =>
  reeve(
    [
      ...['run', 'playbooks/upgrade-k3s.yaml', '-i', lab.inventoryFile, '-e', `version=${TO}`],
      ...['-e', `channel_url=${lab.channelUrl}`, '-e', `install_script=${lab.installScriptUrl}`],
    ],
    dies,
  );
const begins = (events: RunEvent[], host: string, task: string) =>
  events.some((event) => event.type === 'task-started' && event.host === host && event.task.name === task);
const installing = (events: RunEvent[], host: string) =>
  events.some((e) => e.type === 'task-progress' && e.host === host && e.message.startsWith('installing'));

describe('an upgrade that is killed', () => {
  it('again and again is gone on with by resume at once, its own lock included, and nothing is installed twice', async () => {
    const killed = await upgrade((events) => installing(events, 'server-1'));
    expect(killed.code).toBe(null);
    const again = await reeve(['resume', 'last'], (events) => begins(events, 'agent-1', 'Drain'));
    expect(again.code).toBe(null);
    const once = await reeve(['resume', 'last'], (events) => begins(events, 'agent-1', 'Wait for the node'));
    expect(once.code).toBe(null);
    const last = await reeve(['resume', 'last']);
    expect(last.text).toContain('Done in');
    expect(last.code).toBe(0);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
    const installs = journal().filter(
      (e) => e.type === 'task-progress' && e.host === 'agent-1' && /^installing/.test(e.message),
    );
    expect(installs).toHaveLength(1);
  }, 240_000);

  it('in a long installation attaches to it', async () => {
    const agent = lab.hosts.get('agent-1');
    agent.setKnob('install', 'slow 4');
    const jobs = join(agent.root, 'var/lib/reeve/jobs');
    const running = () => existsSync(jobs) && readdirSync(jobs).some((name) => name.includes('k3s-install'));
    await upgrade((events) => installing(events, 'agent-1') && running());
    // A second installer would find this and wait for what it cannot have.
    const { code, text } = await reeve(['resume', 'last']);
    expect([code, text]).toEqual([0, expect.stringContaining('Done in')]);
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': TO, 'server-1': TO }, []]);
  }, 180_000);
});

describe('rollback of an upgrade within a minor', () => {
  it('brings every node back to the version it had, open for pods; what cannot go back is said before', async () => {
    expect((await upgrade()).code).toBe(0);
    expect(versions(lab)).toEqual({ 'agent-1': TO, 'server-1': TO });
    const check = await reeve(['rollback', 'last', '--check']);
    expect(check.text).toMatch(/CANNOT .*snapshot/i);
    const back = await reeve(['rollback', 'last', '--yes']);
    expect([back.code, back.text]).toEqual([0, expect.stringContaining('Rolled back')]);
    await lab.settled();
    expect([versions(lab), cordonedNodes(lab)]).toEqual([{ 'agent-1': FROM, 'server-1': FROM }, []]);
  }, 180_000);
});
