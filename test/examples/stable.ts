import type { RunEvent } from '../../runner/events.ts';
import type { RunHeader } from '../../runner/run-header.ts';

/** When the example is said to have been run. */
const START = Date.parse('2026-01-02T03:04:05.000Z');
const RUN = '20260102-030405000-abcdef';

/** Makes what differs from machine to machine and from run to run stable: ids, dates, ports, folders, people. */
export function stableRun(
  header: RunHeader,
  events: readonly RunEvent[],
  root: string,
): { header: RunHeader; events: RunEvent[] } {
  const shift = START - Date.parse(events[0]!.at);
  const clean = <T>(value: T): T => walk(value, (text) => stableText(text, header.run, root, shift)) as T;
  const { git: _git, ci: _ci, ...rest } = clean(header);
  const steady: RunHeader = {
    ...rest,
    startedAt: new Date(START).toISOString(),
    node: 'v24.0.0',
    operator: { user: 'operator', host: 'control', cwd: '/srv/cluster' },
  };
  return { header: steady, events: events.map(clean) };
}

function stableText(text: string, run: string, root: string, shift: number): string {
  return text
    .replaceAll(run, RUN)
    .replaceAll(/\/\S*?reeve-lab-\w+\/[a-z]+-\d+(?=\/)/g, '')
    .replaceAll(/\/\S*?reeve-lab-\w+\//g, '')
    .replaceAll(root, '')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://mirror.example')
    .replaceAll(/127\.0\.0\.1:\d+/g, '10.0.0.1:6443')
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time, fraction?: string) => {
      const moved = new Date(Date.parse(time) + shift).toISOString();
      return fraction ? moved : `${moved.slice(0, 19)}Z`;
    })
    .replaceAll(/(?<=pre-upgrade-[a-z]+-\d+-)\d{10}/g, (seconds) => String(Number(seconds) + Math.round(shift / 1000)));
}

function walk(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), walk(item, change)]));
}
