import { EVENT_VERSION, type EventBody, type RunEvent } from '../../runner/events.ts';
import type { RunHeader } from '../../runner/run-header.ts';
import { playSyntheticRun } from './synthetic-run.ts';

/** A header as a run writes it, with what a test wants to be different. */
export function header(changes: Partial<RunHeader> = {}): RunHeader {
  return {
    version: 1,
    run: '20260102-030405678-abcdef',
    startedAt: '2026-01-02T03:04:05.000Z',
    reeve: '0.1.0',
    node: 'v24.0.0',
    playbook: { file: 'site.yaml', name: 'site' },
    files: [],
    inventory: ['inventory.yaml'],
    inputs: {},
    secretInputs: [],
    extraVars: {},
    options: { check: false, diff: false, forks: 50, tags: [], skipTags: [] },
    operator: { user: 'operator', host: 'control', cwd: '/srv/cluster' },
    ...changes,
  };
}

/** Events of a made-up run: numbered, a second apart. */
export function events(bodies: readonly EventBody[]): RunEvent[] {
  const start = Date.parse('2026-01-02T03:04:05.000Z');
  return bodies.map((body, index) => ({
    v: EVENT_VERSION,
    seq: index + 1,
    at: new Date(start + index * 1000).toISOString(),
    run: '20260102-030405678-abcdef',
    ...body,
  }));
}

/** A large run, made in no time; its clock is its own. */
export async function syntheticEvents(hosts: number, tasks: number, failing: number[] = []): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  const start = Date.parse('2026-01-02T03:04:05.000Z');
  const sink = {
    handle: (event: RunEvent) => void all.push({ ...event, at: new Date(start + all.length * 2).toISOString() }),
  };
  await playSyntheticRun(sink, { hosts, tasks, taskTime: 100, failing, wait: () => Promise.resolve() });
  // How long each task took, by the same clock.
  const begun = new Map<string, number>();
  for (const event of all) {
    if (event.type === 'task-started') begun.set(`${event.host} ${event.task.id}`, Date.parse(event.at));
    if (event.type === 'task-ended')
      event.duration = Date.parse(event.at) - begun.get(`${event.host} ${event.task.id}`)!;
    if (event.type === 'run-ended') event.duration = Date.parse(event.at) - start;
  }
  return all;
}
