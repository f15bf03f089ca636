import { describe, expect, it } from 'vitest';
import { Failures } from '../../../runner/report/failures.ts';
import { painter } from '../../../runner/report/paint.ts';
import { Tail } from '../../../runner/report/tail.ts';
import { BatchView, MOST_PLACES } from '../../../runner/report/tree/batch-view.ts';
import { CrowdView } from '../../../runner/report/tree/crowd-view.ts';
import { HostView } from '../../../runner/report/tree/host-view.ts';
import { event, START, taskEnded, taskStarted } from './events.ts';

const options = { verbose: false, diff: false, paint: painter(false) };
const changes = [{ summary: '/etc/x: content' }];

describe('Tail', () => {
  it('keeps the last lines of pieces that end anywhere', () => {
    const tail = new Tail(2);
    for (const piece of ['one\ntw', 'o\nthr', 'ee\n', '\n', 'fo', 'ur']) tail.add(piece);
    expect(tail.lines).toEqual(['three', 'four']);
  });

  it('shows what a terminal would: the end of a progress bar, no escape codes', () => {
    const tail = new Tail(3);
    tail.add('10 %\r50 %\r100 %\r\n\u001b[2K\u001b[31mred\u001b[0m\n');
    expect(tail.lines).toEqual(['100 %', 'red']);
  });
});

describe('a host with a place of its own', () => {
  it('shows its task with the time it takes, progress and output, within the room there is', () => {
    const host = new HostView('k3s-1', options);
    host.handle(taskEnded('k3s-1', 'config', { status: 'changed', changes }));
    host.handle(taskStarted('k3s-1', 'drain', 10));
    for (const pod of ['a', 'b', 'c', 'd'])
      host.handle(event({ type: 'task-progress', host: 'k3s-1', task: 'x', message: `evicted ${pod}` }, 11));
    host.handle(event({ type: 'task-output', host: 'k3s-1', task: 'x', stream: 'stdout', text: 'line\n' }, 11));
    const now = START + 75_000;
    expect(host.live(now, 0)).toEqual(['k3s-1  drain  1m 05s']);
    expect(host.live(now, 2)).toEqual(['k3s-1  drain  1m 05s', '… evicted d', '│ line']);
    expect(host.live(now, 6)).toEqual([
      'k3s-1  drain  1m 05s',
      'changed  config',
      '  /etc/x: content',
      '… evicted b',
      '… evicted c',
      '… evicted d',
      '│ line',
    ]);
  });

  it('is remembered by what changed, failed or had something to say', () => {
    const host = new HostView('k3s-1', options);
    host.handle(taskStarted('k3s-1', 'config'));
    host.handle(taskEnded('k3s-1', 'config', { status: 'changed', changes }, 1));
    host.handle(taskEnded('k3s-1', 'quiet'));
    host.handle(taskEnded('k3s-1', 'not wanted', { status: 'skipped', message: 'no' }));
    host.handle(taskEnded('k3s-1', 'version', { message: 'already v1.31.5' }));
    host.handle(
      taskEnded('k3s-1', 'drain', {
        status: 'failed',
        message: 'budget',
        error: { code: 'x', message: 'y', hint: 'z' },
      }),
    );
    host.end(START + 90_000, true);
    expect(host.record()).toEqual([
      'k3s-1  1 changed, 1 failed, 2 ok, 1 skipped  (1m 30s)',
      'changed  config',
      '  /etc/x: content',
      'ok  version — already v1.31.5',
      'failed  drain — budget',
    ]);
  });
});

describe('a crowd', () => {
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);

  it('shows the hosts at work within the room there is, and counts the rest', () => {
    const crowd = new CrowdView(names, options);
    for (const name of names) crowd.handle(name, taskStarted(name, 'install'));
    crowd.handle('n1', taskEnded('n1', 'install', { status: 'failed', message: 'no space' }, 2));
    const lines = crowd.live(START + 5_000, 10);
    expect(lines).toHaveLength(10);
    expect(lines.slice(0, 3)).toEqual(['failed: n1', 'install: 1 failed', 'n0   5 s']);
    expect(lines.at(-1)).toBe('… and 92 more at work');
    crowd.handle('n2', taskStarted('n2', 'wait'));
    expect(crowd.live(START + 5_000, 10)[2]).toBe('n0   install  5 s');
  });

  it('is remembered by task; what is alike on many hosts is told once, in the order of the inventory', () => {
    const crowd = new CrowdView(names, options);
    for (const name of [...names].reverse()) {
      const summary = name === 'n7' ? '/etc/x: mode 0600 → 0644' : '/etc/x: content';
      crowd.handle(name, taskEnded(name, 'config', { status: 'changed', changes: [{ summary }] }));
      crowd.handle(name, taskEnded(name, 'quiet'));
    }
    crowd.handle('n3', taskEnded('n3', 'last', { status: 'failed', message: 'told elsewhere' }));
    expect(crowd.record()).toEqual([
      'config: 100 changed',
      '  /etc/x: content (n0, n1, n2, n3, n4, n5 and 93 more)',
      '  /etc/x: mode 0600 → 0644 (n7)',
      'last: 1 failed',
    ]);
  });
});

describe('a batch', () => {
  const batch = (hosts: string[]) =>
    new BatchView(event({ type: 'batch-started', play: 0, batch: 1, of: 3, hosts }), options);

  it('gives each host a place up to a number', () => {
    const names = Array.from({ length: MOST_PLACES + 1 }, (_, index) => `h${index}`);
    expect(batch(names.slice(1)).hosts).toHaveLength(MOST_PLACES);
    expect(batch(names).hosts).toHaveLength(0);
  });

  it('shows what runs beside its hosts: the gate', () => {
    const view = batch(['a', 'b']);
    view.handle('localhost', taskEnded('localhost', 'ask the monitoring', { message: 'all green' }));
    view.end(START + 1_000, ['b']);
    expect(view.record()[0]).toBe('batch 2 of 3: 2 hosts: a, b  (1.0 s)');
    expect(view.record().at(-1)).toBe('ok  ask the monitoring — all green');
    expect(view.hosts.map(({ failed }) => failed)).toEqual([false, true]);
  });
});

describe('Failures', () => {
  it('tells what is alike on several hosts once, whole', () => {
    const failures = new Failures(options);
    for (const host of ['a', 'b']) {
      failures.add(
        taskEnded(host, 'x', {
          status: 'unreachable',
          message: `${host}: no route`,
          error: { code: 'u', message: '', hint: 'look' },
        }),
      );
    }
    failures.add(taskEnded('c', 'x', { status: 'failed', message: 'else', ignored: true }));
    expect(failures.lines()).toEqual(['', 'FAILURES', '  a, b', '    unreachable  x — no route', '      hint: look']);
  });
});
