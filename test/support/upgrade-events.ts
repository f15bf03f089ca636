import type { EventBody, RunEvent, TaskEnded, TaskReference } from '../../runner/events.ts';
import { events } from './report-fixtures.ts';

const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';

export function task(name: string, module: string, more: Partial<TaskReference> = {}): TaskReference {
  const place = { file: 'playbooks/upgrade.yaml', line: 12, column: 9 };
  return { id: `plays[0].tasks.${name}`, name, module, section: 'tasks', place, ...more };
}

/** A task that began and ended. */
export function ran(host: string, reference: TaskReference, ended: Partial<TaskEnded> = {}, play = 0): EventBody[] {
  const where = { play, batch: 0, host, task: reference };
  return [
    { type: 'task-started', ...where },
    { type: 'task-ended', ...where, status: 'ok', duration: 1500, changes: [], ...ended },
  ];
}

export const started: EventBody = {
  ...{ type: 'run-started', playbook: 'playbooks/upgrade.yaml', name: 'upgrade', inventory: ['inventory.yaml'] },
  ...{ check: false, diff: false, reeve: '0.1.0', inputs: { version: TO }, description: 'Upgrades the cluster.' },
};

export function playStarted(name: string, hosts: string[], play = 0): EventBody[] {
  return [
    { type: 'play-started', play, name, hosts, batches: 1 },
    { type: 'batch-started', play, batch: 0, of: 1, hosts },
  ];
}

export function playEnded(failed: string[] = [], play = 0): EventBody[] {
  return [
    { type: 'batch-ended', play, batch: 0, failed },
    { type: 'play-ended', play, failed, skippedBatches: 0 },
  ];
}

export function runEnded(changes: Partial<Extract<EventBody, { type: 'run-ended' }>> = {}): EventBody {
  return { type: 'run-ended', exitCode: 0, outcome: 'done', duration: 12_000, recap: {}, nodes: {}, ...changes };
}

/** The API server that these runs ask. */
export const API = { cluster: 'k3s-1', server: 'https://10.0.0.1:6443', via: 'k3s-1' };
const outage: EventBody[] = [
  { type: 'api-unavailable', ...API, from: '2026-01-02T03:04:21.500Z', detail: 'connection refused' },
  {
    ...{ type: 'api-available', ...API, from: '2026-01-02T03:04:21.500Z' },
    ...{ until: '2026-01-02T03:04:25.500Z', duration: 4_000 },
  },
];

const node = (name: string, version: string, cordoned = false) => ({
  ...{ name, ready: true, cordoned, version, server: name === 'k3s-1', address: '10.0.0.1', cpu: 4, memory: 2 ** 33 },
  ...{ cpu_requested: 0.5, memory_requested: 2 ** 30 },
});
const pod = (name: string, on: string, restarts = 0) => ({
  ...{ pod: `shop/${name}`, workload: `shop/Deployment/${name.split('-')[0]}`, node: on, state: 'Running', restarts },
});

/** An upgrade of one server: state, check, drain, install, check, state. `between` stands before the drain ends it. */
export function upgradeBodies(install: Partial<TaskEnded> = {}, rest: EventBody[] = []): EventBody[] {
  const drain = task('Drain', 'drain', { kind: 'action' });
  const installing = task('Install k3s', 'install-script', { kind: 'action' });
  const before = {
    nodes: [node('k3s-1', FROM), node('k3s-2', FROM)],
    pods: [pod('web-a', 'k3s-1'), pod('db-a', 'k3s-2')],
  };
  const host = 'k3s-1';
  return [
    started,
    { type: 'note', text: 'Tell the shop team.' },
    { type: 'api-watched', ...API, interval: 1000 },
    ...playStarted('Servers', [host]),
    ...ran(host, task('State before', 'cluster-report', { kind: 'check' }), {
      result: { server_version: FROM, ...before },
    }),
    ...ran(host, task('Health', 'cluster-health', { kind: 'check' }), {
      message: 'healthy',
      result: { problems: [{ name: 'claim shop/old', reason: 'Lost' }] },
    }),
    ...ran(host, task('Every pod may leave', 'drain', { kind: 'action' }), { result: { evicted: ['shop/web-a'] } }),
    { type: 'task-started', play: 0, batch: 0, host, task: drain },
    { type: 'effect-started', host, task: drain.id, changes: [{ summary: 'evict shop/web-a' }] },
    { type: 'node-state', node: host, state: 'cordoned' },
    { type: 'effect-ended', host, task: drain.id, ok: true, undo: { node: host } },
    {
      ...{ type: 'task-ended', play: 0, batch: 0, host, task: drain, status: 'changed', duration: 900 },
      ...{ changes: [{ summary: 'evict shop/web-a' }], args: { timeout: '10m' }, result: { evicted: ['shop/web-a'] } },
    },
    { type: 'task-started', play: 0, batch: 0, host, task: installing },
    { type: 'effect-started', host, task: installing.id, changes: [{ summary: `k3s: ${FROM} → ${TO}` }] },
    { type: 'task-output', host, task: installing.id, stream: 'stdout', text: '[INFO]  Verifying binary download\n' },
    ...outage,
    { type: 'effect-ended', host, task: installing.id, ok: install.status !== 'failed' },
    {
      ...{ type: 'task-ended', play: 0, batch: 0, host, task: installing, status: 'changed', duration: 3000 },
      changes: [
        { summary: `k3s: ${FROM} → ${TO}` },
        { summary: 'unit: content', path: '/etc/systemd/system/k3s.service', before: 'a\nb\n', after: 'a\nc\n' },
      ],
      ...{ args: { version: TO }, result: { downtime_seconds: 7.5, unit: 'k3s' } },
      ...install,
    },
    ...rest,
  ];
}

/** The same upgrade, done to its end. */
export function upgradeEvents(more: EventBody[] = []): RunEvent[] {
  const host = 'k3s-1';
  const after = {
    nodes: [node('k3s-1', TO), node('k3s-2', FROM)],
    pods: [pod('web-b', 'k3s-2'), pod('db-a', 'k3s-2', 1)],
  };
  return events([
    ...upgradeBodies({}, [
      ...ran(host, task('Wait for the control plane', 'wait-server', { kind: 'check' }), {
        message: 'ready after 9.2 s',
        result: { recovery_seconds: 9.2 },
      }),
      { type: 'node-state', node: host, state: 'as it should be' },
      ...ran(host, task('State after', 'cluster-report', { kind: 'check' }), {
        result: { server_version: TO, ...after },
      }),
      ...playEnded(),
    ]),
    runEnded({
      recap: {
        [host]: { ok: 4, changed: 2, unknown: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 },
      },
    }),
    ...more,
  ]);
}

/** The same upgrade, failed at the installation. */
export function failedUpgrade(more: EventBody[] = []): RunEvent[] {
  const error = { code: 'recovery-limit', message: 'k3s is not up after 5m', hint: 'look at journalctl -u k3s' };
  return events([
    ...upgradeBodies(
      { status: 'failed', message: 'k3s is not up after 5m\nlast line of its journal', changes: [], error },
      playEnded(['k3s-1']),
    ),
    { type: 'handlers-pending', host: 'k3s-1', handlers: ['restart the proxy'] },
    runEnded({
      exitCode: 2,
      outcome: 'failed',
      recap: {
        'k3s-1': { ok: 2, changed: 1, unknown: 0, skipped: 0, failed: 1, unreachable: 0, rescued: 0, ignored: 0 },
      },
      nodes: { 'k3s-1': 'cordoned; half upgraded' },
    }),
    ...more,
  ]);
}
