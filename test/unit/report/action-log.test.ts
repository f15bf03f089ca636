import { describe, expect, it } from 'vitest';
import { actionLog } from '../../../runner/report/action-log/action-log.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { events, header, syntheticEvents } from '../../support/report-fixtures.ts';
import {
  failedUpgrade,
  playEnded,
  playStarted,
  ran,
  runEnded,
  started,
  task,
  upgradeBodies,
  upgradeEvents,
} from '../../support/upgrade-events.ts';

/** The text below a heading, up to the next one of the same depth or higher. */
function section(log: string, title: string): string {
  const lines = log.split('\n');
  const at = lines.findIndex((line) => line.replace(/^#+ /, '') === title && line.startsWith('#'));
  if (at < 0) return '';
  const depth = /^#+/.exec(lines[at]!)![0].length;
  const end = lines.findIndex((line, n) => n > at && /^#+ /.test(line) && /^#+/.exec(line)![0].length <= depth);
  return lines
    .slice(at + 1, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}

const titles = (log: string) =>
  log
    .split('\n')
    .filter((line) => line.startsWith('## '))
    .map((line) => line.slice(3));

describe('the action log of an upgrade', () => {
  const log = actionLog(
    header({ playbook: { file: 'playbooks/upgrade.yaml', name: 'upgrade' } }),
    recordOf(upgradeEvents()),
  );

  it('has the sections of the template that apply, in its order, and no others', () => {
    expect(titles(log)).toEqual([
      ...['Pre-Operation State', 'Operation Plan', 'Execution Log', 'Post-Operation State', 'Outcome Summary'],
      ...['Notes', 'References', 'Appendix', 'Tags'],
    ]);
  });

  it('says who did what, when, and how it ended', () => {
    for (const line of [
      '**Date**: 2026-01-02',
      '**Operator**: operator on control',
      '**Operation Type**: Upgrade',
      '**Target**: k3s-1',
      '**Status**: Completed',
    ])
      expect(log).toContain(line);
    expect(section(log, 'Objective')).toContain('Upgrades the cluster.');
    expect(section(log, 'Notes')).toContain('- Tell the shop team.');
  });

  it('shows the state before and after as the run itself took it down', () => {
    expect(section(log, 'Pre-Operation State')).toContain('| k3s-1 | Ready | server | v1.30.4+k3s1 | 10.0.0.1 |');
    expect(section(log, 'Pre-Operation State')).toContain('| k3s-1 | shop/web-a | Running | 0 |');
    expect(section(log, 'Pre-Operation State')).toContain('| k3s-1 | 4 | 0.5 | 8.0 GiB | 1.0 GiB |');
    expect(section(log, 'Known Issues')).toContain('- claim shop/old: Lost');
    expect(section(log, 'Post-Operation State')).toContain('| k3s-1 | Ready | server | v1.31.5+k3s1 | 10.0.0.1 |');
  });

  it('ticks checks before the first change as prerequisites and those after it as verification', () => {
    expect(section(log, 'Prerequisites Checklist')).toBe('- [x] Health (k3s-1): healthy');
    expect(section(log, 'Verification Checks')).toBe('- [x] Wait for the control plane (k3s-1): ready after 9.2 s');
  });

  it('shows commands, outputs and times of a phase', () => {
    const phase = section(log, 'Phase 1: Servers');
    expect(phase).toContain('k3s-1: install-script { version: v1.31.5+k3s1 }');
    expect(phase).toContain('[INFO]  Verifying binary download');
    expect(phase).toMatch(/\*\*Start Time\*\*: 03:04:08/);
    expect(phase).toMatch(/\*\*End Time\*\*: 03:04:\d\d$/m);
    expect(phase).toContain('**Status**: ✅ Success');
  });

  it('measures downtime and names the workloads that moved or restarted', () => {
    const outcome = section(log, 'Outcome Summary');
    expect(outcome).toContain('**Downtime**: control plane 4.0 s; k3s-1 unit k3s 7.5 s');
    expect(outcome).toContain(
      '**Control plane did not answer**: 4.0 s (03:04:21 to 03:04:25: connection refused); ' +
        'asked every second from 03:04:07 to 03:04:35 at https://10.0.0.1:6443 through k3s-1',
    );
    expect(outcome).toContain('**Ready again after a restart**: k3s-1 API server 9.2 s');
    expect(outcome).toContain('**Workloads Affected**: 2: shop/Deployment/db, shop/Deployment/web');
    expect(outcome).toContain('| shop/Deployment/web | 1 | k3s-1 | k3s-2 | 0 |');
    expect(outcome).toContain('| shop/Deployment/db | 0 | k3s-2 | k3s-2 | 1 |');
    for (const row of ['db-a | restarted 1× | k3s-2 | k3s-2', 'web-a | evicted | k3s-1 | –', 'web-b | new | – | k3s-2'])
      expect(outcome).toContain(`| shop/${row} |`);
  });

  it('says which changes can be taken back', () => {
    expect(section(log, 'Risk Assessment')).toContain(
      '1 of 2 changes recorded how to take them back. Not: Install k3s',
    );
    expect(section(log, 'Risk Assessment')).toContain(
      '**Risk Level**: Medium: `drain`, `install-script`, one host at a time',
    );
  });

  it('has the whole history of commands and the diffs of files', () => {
    expect(
      section(log, 'Full Command History')
        .split('\n')
        .filter((line) => /^\d\d:/.test(line)),
    ).toHaveLength(7);
    expect(section(log, 'Configuration Files Modified')).toContain('-b\n+c');
  });
});

describe('the action log of an upgrade that was cut off', () => {
  const cut = upgradeEvents().findIndex(({ type }) => type === 'api-unavailable');
  const bodies = upgradeEvents();
  const resumed = { ...bodies[cut]!, type: 'run-resumed' as const, reeve: '0.1.0' };
  const log = actionLog(header(), recordOf([...bodies.slice(0, cut), resumed, ...bodies.slice(cut)]));

  it('says what was under way, and that it was resumed', () => {
    const issue = section(log, 'Issue 1: The run was cut off');
    expect(issue).toContain('**Severity**: High');
    expect(issue).toContain('- k3s-1: Install k3s was under way, and had begun to write');
    expect(issue).toMatch(/\*\*Resolution\*\*: Resumed at 03:04:\d\d/);
  });
});

describe('the action log of a failed upgrade', () => {
  const log = actionLog(header(), recordOf(failedUpgrade()));

  it('tells the issue with symptom, cause and what to do', () => {
    const issue = section(log, 'Issue 1: Install k3s failed on k3s-1');
    expect(issue).toContain('**Severity**: High');
    expect(issue).toContain(
      '- k3s is not up after 5m\n- last line of its journal\n- Task at playbooks/upgrade.yaml:12',
    );
    expect(issue).toContain('**Root Cause**: It was away for longer than the recovery limit.');
    expect(issue).toContain('**Hint**: look at journalctl -u k3s');
  });

  it('says what is left to do', () => {
    const todo = section(log, 'Follow-Up Actions');
    expect(todo).toContain('- [ ] Node k3s-1 is left cordoned; half upgraded: look at it');
    expect(todo).toContain('restart the proxy');
    expect(todo).toContain('`reeve resume 20260102-030405678-abcdef`');
    expect(section(log, 'Outcome Summary')).toContain('**Overall Status**: Partial Success (failed, exit code 2)');
    expect(section(log, 'Success Criteria Met')).not.toContain('- [x]');
  });
});

describe('the action log', () => {
  it('tells a rollback', () => {
    const effect = { effect: 15, host: 'k3s-1', task: task('Drain', 'drain') };
    const log = actionLog(
      header(),
      recordOf(
        failedUpgrade([
          { type: 'rollback-started', steps: 1 },
          { type: 'undo-started', ...effect, changes: [{ summary: 'k3s-1: cordon' }] },
          { type: 'undo-ended', ...effect, ok: true },
          { type: 'rollback-ended', ok: true },
        ]),
      ),
    );
    expect(log).toContain('**Status**: Rolled Back');
    expect(section(log, 'Rollback Actions')).toContain(
      '**Trigger**: Install k3s failed on k3s-1: k3s is not up after 5m',
    );
    expect(section(log, 'Rollback Actions')).toContain('1. k3s-1: Drain (k3s-1: cordon) ✅');
    expect(section(log, 'Rollback Actions')).toContain('**Rollback Status**: ✅ Successful');
    expect(section(log, 'Follow-Up Actions')).not.toContain('reeve resume');
  });

  it('tells of a failure that a resume made good, once', () => {
    const reference = task('Copy', 'copy');
    const bad = { status: 'failed' as const, message: 'disk full' };
    const log = actionLog(
      header(),
      recordOf(
        events([
          ...[started, ...playStarted('All', ['a']), ...ran('a', reference, bad), ...playEnded(['a'])],
          runEnded({ exitCode: 2, outcome: 'failed' }),
          { type: 'run-resumed', reeve: '0.1.0' },
          ...[...ran('a', reference), ...playEnded(), runEnded()],
        ]),
      ),
    );
    expect(log).toContain('**Status**: Completed');
    expect(section(log, 'Issue 1: Copy failed on a')).toContain('Done again when the run was resumed');
    expect(section(log, 'Success Criteria Met')).toBe('');
    expect(log).toContain('- [x] No host failed');
  });

  it('of a run that was cut off says so', () => {
    const log = actionLog(header(), recordOf(events(upgradeBodies().slice(0, 14))));
    expect(log).toContain('**Status**: In Progress (it is running, or was cut off)');
    expect(log).toContain('**End Time**: not reached');
    expect(log).toContain('Node k3s-1 is left cordoned');
  });

  it('leaves out what does not apply, and stands even for a run without events', () => {
    expect(titles(actionLog(header(), recordOf([])))).not.toContain('Execution Log');
    const log = actionLog(
      header(),
      recordOf(events([started, ...playStarted('All', ['a']), ...ran('a', task('Look', 'command')), runEnded()])),
    );
    expect(titles(log)).toEqual([
      'Operation Plan',
      'Execution Log',
      'Outcome Summary',
      'References',
      'Appendix',
      'Tags',
    ]);
  });

  it('lets no text of a run become Markdown or HTML', () => {
    const evil = '# Fake\n```\n<b>x</b> | [link](http://example.org) `code`';
    const bodies = ran(evil, task(evil, 'command'), {
      status: 'failed',
      message: evil,
      result: { stdout: evil, cmd: evil },
    });
    const log = actionLog(
      header(),
      recordOf(events([started, ...playStarted(evil, [evil]), ...bodies, { type: 'note', text: evil }, runEnded()])),
    );
    const outside = log.replaceAll(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '');
    expect(outside).not.toMatch(/^# Fake/m);
    expect(outside.replaceAll(/`[^`]*`/g, '')).not.toContain('<b>');
    expect(outside).not.toMatch(/(?<!\\)\[link/);
  });

  it('is the same bytes in every time zone and locale, and small for many hosts', async () => {
    const run = await syntheticEvents(100, 20, [7]);
    const log = actionLog(header(), recordOf(run));
    process.env.TZ = 'Asia/Tokyo';
    expect(actionLog(header(), recordOf(run))).toBe(log);
    delete process.env.TZ;
    expect(log.split('## Appendix')[0]!.length).toBeLessThan(20_000);
  });
});
