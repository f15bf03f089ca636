import { describe, expect, it } from 'vitest';
import { logLines } from '../../../runner/report/run-log.ts';
import { events } from '../../support/report-fixtures.ts';
import { failedUpgrade, ran, started, task, upgradeEvents } from '../../support/upgrade-events.ts';

const log = (run: ReturnType<typeof events>, verbose = false) => run.flatMap((event) => logLines(event, verbose));
const levels = (lines: string[]) => new Set(lines.map((line) => line.split(/\s+/)[1]));

describe('the log file', () => {
  it('has a UTC time stamp and a level on every line', () => {
    for (const line of log(failedUpgrade(), true))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|PROGRESS|SUCCESS|WARN|ERROR) +\S/);
  });

  it('tells details only when asked for', () => {
    expect(levels(log(upgradeEvents()))).toEqual(new Set(['INFO', 'PROGRESS', 'SUCCESS', 'WARN']));
    expect(levels(log(failedUpgrade()))).toContain('ERROR');
    expect(levels(log(failedUpgrade(), true))).toContain('DEBUG');
    expect(log(upgradeEvents()).join('\n')).not.toContain('[INFO]  Verifying');
    expect(log(upgradeEvents(), true).join('\n')).toContain('k3s-1: [INFO]  Verifying binary download');
  });

  it('tells a failure with its hint and place', () => {
    const lines = log(failedUpgrade()).filter((line) => line.includes('ERROR') && line.includes('k3s-1:'));
    expect(lines.map((line) => line.replace(/^\S+ ERROR +/, ''))).toEqual([
      'k3s-1: Install k3s: failed — k3s is not up after 5m (3.0 s)',
      'k3s-1: last line of its journal',
      'k3s-1:   hint: look at journalctl -u k3s',
      'k3s-1:   at playbooks/upgrade.yaml:12:9',
    ]);
  });

  it('lets no output steer a terminal or forge a line', () => {
    const lines = log(
      events([
        started,
        ...ran('a', task('Evil', 'command'), {
          message: '\x1b[2Jx\n2026-01-01T00:00:00.000Z SUCCESS  all is well',
          duration: 1,
        }),
      ]),
    );
    expect(lines.join('')).not.toContain('\x1b');
    expect(lines.at(-1)).toMatch(/ INFO +a: 2026-01-01T00:00:00.000Z SUCCESS/);
  });
});
