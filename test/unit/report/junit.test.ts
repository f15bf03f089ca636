import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { junit } from '../../../runner/report/junit.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
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

const SCHEMA = join(import.meta.dirname, 'junit.xsd');
const noXmllint = missing('xmllint');

const EVIL = 'a\x1b[31m & <b> "q" \' ]]> \x00 \ud800 \ufffe\n\ttext';

const runs = {
  'a good run': upgradeEvents(),
  'a failed run': failedUpgrade(),
  'a run that was cut off': events(upgradeBodies().slice(0, 12)),
  'a run that was resumed and rolled back': failedUpgrade([
    { type: 'run-resumed', reeve: '0.1.0' },
    ...ran('k3s-1', task('Install k3s', 'install-script', { kind: 'action' })),
    { type: 'rollback-started', steps: 1 },
    { type: 'rollback-ended', ok: false, message: 'the node is away' },
  ]),
  'an interrupted run': events([started, runEnded({ exitCode: 130, outcome: 'interrupted' })]),
  'a run without events': [],
  'a run of odd texts': events([
    ...[
      started,
      ...playStarted(EVIL, [EVIL]),
      ...ran(EVIL, task(EVIL, 'command'), { status: 'failed', message: EVIL }),
    ],
    ...[...playEnded([EVIL]), runEnded({ outcome: 'failed', exitCode: 2, message: EVIL })],
  ]),
};

/** Elements of a kind with their attributes. */
function elements(xml: string, name: string): Record<string, string>[] {
  return [...xml.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'g'))].map(([, attributes]) =>
    Object.fromEntries([...attributes!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])),
  );
}

describe('junit', () => {
  it.each(Object.entries(runs))('%s is valid against the schema', needs(noXmllint), (_, run) => {
    const checked = spawnSync('xmllint', ['--noout', '--schema', SCHEMA, '-'], {
      input: junit(header(), recordOf(run)),
      encoding: 'utf8',
    });
    expect(checked.stderr).toBe('- validates\n');
  });

  it.each(Object.entries(runs))('%s: the counts of every suite are those of its cases', (_, run) => {
    const xml = junit(header(), recordOf(run));
    const suites = xml.split('<testsuite ').slice(1);
    expect(suites.length).toBeGreaterThan(0);
    for (const suite of suites) {
      const [counts] = elements(`<testsuite ${suite}`, 'testsuite');
      expect(Number(counts!.tests)).toBe(elements(suite, 'testcase').length);
      expect(Number(counts!.failures)).toBe(elements(suite, 'failure').length);
      expect(Number(counts!.errors)).toBe(elements(suite, 'error').length);
      expect(Number(counts!.skipped)).toBe(elements(suite, 'skipped').length);
    }
  });

  it('is red exactly when the run did not end well', () => {
    const red = (run: (typeof runs)['a good run']) => /<(failure|error)\b/.test(junit(header(), recordOf(run)));
    expect(red(runs['a good run'])).toBe(false);
    for (const name of [
      'a failed run',
      'a run that was cut off',
      'an interrupted run',
      'a run without events',
    ] as const)
      expect(red(runs[name]), name).toBe(true);
  });

  it('does not blame a failure that was ignored or rescued', () => {
    const bad = { status: 'failed' as const, message: 'no' };
    const xml = junit(
      header(),
      recordOf(
        events([
          ...[
            started,
            ...playStarted('All', ['a', 'b']),
            ...ran('a', task('One', 'command'), { ...bad, ignored: true }),
          ],
          ...[
            ...ran('b', task('Two', 'command'), bad),
            { type: 'host-rescued' as const, host: 'b', block: 'plays[0]' },
          ],
          ...[...playEnded(), runEnded()],
        ]),
      ),
    );
    expect(elements(xml, 'skipped').map(({ message }) => message)).toEqual([
      'failed, ignored: no',
      'failed, made good: no',
    ]);
    expect(xml).not.toMatch(/<(failure|error)\b/);
  });

  it('of 500 hosts is valid too', needs(noXmllint), async () => {
    const input = junit(header(), recordOf(await syntheticEvents(500, 10, [3])));
    expect(spawnSync('xmllint', ['--noout', '--schema', SCHEMA, '-'], { input, encoding: 'utf8' }).stderr).toBe(
      '- validates\n',
    );
  });
});
