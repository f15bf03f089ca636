import { describe, expect, it } from 'vitest';
import { githubAnnotations, githubSummary } from '../../../runner/report/github.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { events, header, syntheticEvents } from '../../support/report-fixtures.ts';
import {
  failedUpgrade,
  playStarted,
  ran,
  runEnded,
  started,
  task,
  upgradeEvents,
} from '../../support/upgrade-events.ts';

describe('github annotations', () => {
  it('name file and line, and escape what the command would misread', () => {
    expect(githubAnnotations(header(), recordOf(failedUpgrade()))).toBe(
      '::error file=playbooks/upgrade.yaml,line=12,col=9,title=Install k3s::k3s-1: k3s is not up after 5m%0A' +
        'last line of its journal%0Ahint: look at journalctl -u k3s\n',
    );
    const notice = {
      type: 'notice' as const,
      level: 'warning' as const,
      message: '100%\nsure',
      place: { file: 'a,b:c.yaml', line: 3, column: 1 },
    };
    expect(githubAnnotations(header(), recordOf(events([started, notice, runEnded()])))).toBe(
      '::warning file=a%2Cb%3Ac.yaml,line=3,col=1,title=reeve::100%25%0Asure\n',
    );
  });

  it('leave out the long journal that a failure quotes, but for what it died of', () => {
    const log = Array.from({ length: 30 }, (_, n) => `k3s[${n}]: level=info msg="starting"`);
    const message = [
      'k3s is not up; the end of its journal:',
      ...log,
      'k3s[9]: level=fatal msg="no route"',
      'k3s: exited',
    ];
    const bodies = [
      ...ran('one', task('Install', 'install-script'), { status: 'failed', message: message.join('\n') }),
    ];
    const run = events([started, ...playStarted('all', ['one']), ...bodies]);
    const [line] = githubAnnotations(header(), recordOf(run)).split('\n');
    expect(line).toMatch(/::one: k3s is not up; the end of its journal:%0A… 31 more lines …%0Ano route$/);
  });

  it('are none for a good run, and one for a run that was refused or cut off', () => {
    expect(githubAnnotations(header(), recordOf(upgradeEvents()))).toBe('');
    const refused = events([started, runEnded({ exitCode: 6, outcome: 'refused', message: 'not confirmed' })]);
    expect(githubAnnotations(header(), recordOf(refused))).toBe('::error title=Run refused::not confirmed\n');
    expect(githubAnnotations(header(), recordOf(events([started])))).toContain('The run has no end');
  });

  it('tell what failed alike on many hosts once', async () => {
    const lines = githubAnnotations(header(), recordOf(await syntheticEvents(30, 4, [1, 2, 3, 4, 5, 6, 7, 8])))
      .trim()
      .split('\n');
    expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(1);
    expect(lines[0]).toContain('node-001, node-002, node-003, node-004, node-005, node-006 and 2 more');
  });
});

describe('github summary', () => {
  it('has hosts, failures, downtime and nodes left behind', () => {
    const summary = githubSummary(header(), recordOf(failedUpgrade()));
    expect(summary).toContain('## upgrade: Failed');
    expect(summary).toContain('| k3s-1 |');
    expect(summary).toContain('**Install k3s** on k3s-1');
    expect(summary).toContain('- Node k3s-1 is left cordoned; half upgraded');
    expect(githubSummary(header(), recordOf(upgradeEvents()))).toContain(
      '- Control plane did not answer: 4.0 s (03:04:21 to 03:04:25: connection refused)\n- Downtime: k3s-1 unit k3s 7.5 s',
    );
  });
});
