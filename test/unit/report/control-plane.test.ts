import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../runner/events.ts';
import { controlPlanes, shownAsking, shownSpan } from '../../../runner/report/control-plane.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { events } from '../../support/report-fixtures.ts';
import { runEnded, started } from '../../support/upgrade-events.ts';

const CLUSTER = 'one, two';
const api = (via: string) => ({ cluster: CLUSTER, server: 'https://127.0.0.1:6443', via });
const at = (second: number) => new Date(Date.parse('2026-01-02T03:04:00.000Z') + second * 1000).toISOString();
const watched = (via: string): EventBody => ({ type: 'api-watched', ...api(via), interval: 1000 });
const away = (via: string, from: number): EventBody => ({
  ...{ type: 'api-unavailable', ...api(via), from: at(from), detail: 'connection refused' },
});
const back = (via: string, from: number, until: number): EventBody => ({
  ...{ type: 'api-available', ...api(via), from: at(from), until: at(until), duration: (until - from) * 1000 },
});

/** The only cluster of a run of these events, which are a second apart from 03:04:05 on. */
function planeOf(...bodies: EventBody[]) {
  const [plane, ...others] = controlPlanes(recordOf(events([started, ...bodies])));
  expect(others).toEqual([]);
  return plane!;
}
const told = (spans: Parameters<typeof shownSpan>[0][]) => spans.map(shownSpan);

describe('what the events say of the control plane', () => {
  it('sums the gaps of one server and says how it was asked', () => {
    const plane = planeOf(
      ...[watched('one'), away('one', 7), back('one', 7, 9), away('one', 10), back('one', 10, 13)],
      runEnded(),
    );
    expect(plane.duration).toBe(5_000);
    expect(told(plane.away)).toEqual([
      '2.0 s (03:04:07 to 03:04:09: connection refused)',
      '3.0 s (03:04:10 to 03:04:13: connection refused)',
    ]);
    expect(shownAsking(plane)).toBe(
      'asked every second from 03:04:06 to 03:04:11 at https://127.0.0.1:6443 through one',
    );
  });

  it('calls it away only while no server answered', () => {
    const plane = planeOf(
      ...[watched('one'), watched('two'), away('one', 8), away('two', 10), back('one', 8, 12), back('two', 10, 14)],
      runEnded(),
    );
    expect(told(plane.away)).toEqual(['2.0 s (03:04:10 to 03:04:12: connection refused)']);
    expect(plane.servers.map(({ spans }) => spans.length)).toEqual([1, 1]);
  });

  it('takes no overlap for a gap that is shorter than one question', () => {
    const plane = planeOf(
      ...[watched('one'), watched('two'), away('one', 8), back('one', 8, 11), away('two', 10.5), back('two', 10.5, 12)],
      runEnded(),
    );
    expect(plane.away).toEqual([]);
  });

  it('a gap that had not ended when the run did lasted at least so long', () => {
    const plane = planeOf(watched('one'), away('one', 6.5), { ...runEnded() });
    expect(told(plane.away)).toEqual(['at least 1.5 s (03:04:06 to 03:04:08, still away then: connection refused)']);
  });

  it('what nobody saw between a death and the resume is no part of it', () => {
    const dead = [watched('one'), away('one', 6.5)];
    const plane = planeOf(...dead, { type: 'run-resumed', reeve: '0.1.0' }, watched('one'), runEnded());
    expect(told(plane.away)).toEqual(['at least 0.5 s (03:04:06 to 03:04:07, still away then: connection refused)']);
    expect(plane.servers).toHaveLength(1);
  });

  it('knows nothing of a run that asked nobody', () => {
    expect(controlPlanes(recordOf(events([started, runEnded()])))).toEqual([]);
  });
});
