import { describe, expect, it } from 'vitest';
import { painter } from '../../../runner/report/paint.ts';
import { PlainReport } from '../../../runner/report/plain.ts';
import { event, recap, taskEnded } from './events.ts';

function report(options: { verbose?: boolean; diff?: boolean; color?: boolean } = {}): PlainReport {
  const { verbose = false, diff = false, color = false } = options;
  return new PlainReport({ verbose, diff, paint: painter(color) });
}

describe('plain lines', () => {
  it('tell a failure with its output, hint and place', () => {
    const lines = report().lines(
      taskEnded('k3s-1', 'restart k3s', {
        status: 'failed',
        duration: 12_300,
        message: 'exit code 1\nthe unit is masked',
        result: { stdout: '', stderr: 'Failed to restart k3s.service\n' },
        error: { code: 'task-failed', message: 'x', hint: 'unmask it', place: { file: 'a.yaml', line: 3, column: 5 } },
      }),
    );
    expect(lines).toEqual([
      '  failed       k3s-1: restart k3s — exit code 1 (12 s)',
      '               the unit is masked',
      '               stderr:',
      '                 Failed to restart k3s.service',
      '               hint: unmask it',
      '               at a.yaml:3:5',
    ]);
  });

  it('leave out what was skipped, unless verbose', () => {
    const skipped = taskEnded('a', 'x', { status: 'skipped', message: 'not wanted: no' });
    expect(report().lines(skipped)).toEqual([]);
    expect(report({ verbose: true }).lines(skipped)).toEqual(['  skipped      a: x — not wanted: no']);
  });

  it('show a diff only when asked for, and never of a secret', () => {
    const changed = (sensitive: boolean) =>
      taskEnded('a', 'x', {
        status: 'changed',
        changes: [{ summary: '/etc/x: content', path: '/etc/x', before: 'a\n', after: 'b\n', sensitive }],
      });
    expect(report().lines(changed(false)).join('\n')).not.toContain('@@');
    expect(
      report({ diff: true })
        .lines(changed(false))
        .map((line) => line.trim()),
    ).toEqual([
      'changed      a: x',
      '/etc/x: content',
      '--- /etc/x (before)',
      '+++ /etc/x (after)',
      '@@ -1,1 +1,1 @@',
      '-a',
      '+b',
    ]);
    expect(report({ diff: true }).lines(changed(true)).join('\n')).toMatch(/not shown: it holds secrets/);
  });

  it('join live output to whole lines, free of what steers a terminal', () => {
    const plain = report({ verbose: true });
    const output = (text: string) =>
      plain.lines(event({ type: 'task-output', host: 'a', task: 'plays[0].tasks[x]', stream: 'stdout', text }));
    expect(output('one\ntw')).toEqual(['  │            a: one']);
    expect(output('o\n\u001b[31mthree\u001b[0m')).toEqual(['  │            a: two']);
    const ended = plain.lines(taskEnded('a', 'x', { result: { stdout: 'one\ntwo\nthree', rc: 0 } }));
    expect(ended[0]).toBe('  │            a: three');
    // It was shown already.
    expect(ended.join('\n')).not.toContain('stdout');
  });

  it('end with a line for each host in the order of the inventory, what is left, and how it went', () => {
    const plain = report();
    plain.lines(event({ type: 'handlers-pending', host: 'b', handlers: ['restart k3s'] }));
    const lines = plain.lines(
      event({
        type: 'run-ended',
        exitCode: 2,
        outcome: 'failed',
        duration: 65_000,
        recap: { b: recap({ ok: 2, failed: 1 }), 'long-name': recap({ ok: 1, changed: 1 }), a: recap() },
        nodes: { 'k3s-2': 'cordoned' },
      }),
    );
    expect(lines).toEqual([
      '',
      'RECAP',
      '  b          ok=2  changed=0  failed=1',
      '  long-name  ok=1  changed=1',
      '  a          ok=0  changed=0',
      '  b: handlers that did not run: restart k3s',
      '  node k3s-2 is left cordoned',
      '',
      'Failed after 1m 05s.',
    ]);
  });

  it('tell a notice with what to do about it', () => {
    const place = { file: 'a.yaml', line: 2, column: 3 };
    const notice = event({ type: 'notice', level: 'warning', host: 'a', message: 'odd', hint: 'look', place });
    expect(report().lines(notice)).toEqual(['  warning: a: odd', '    hint: look', '    at a.yaml:2:3']);
  });

  it('have colours only when they are wanted', () => {
    const changed = taskEnded('a', 'x', { status: 'changed' });
    expect(report().lines(changed).join('')).not.toContain('\u001b');
    expect(report({ color: true }).lines(changed).join('')).toContain('\u001b[33m');
  });
});
