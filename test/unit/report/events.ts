import {
  EVENT_VERSION,
  type EventBody,
  type HostRecap,
  type RunEvent,
  type TaskReference,
} from '../../../runner/events.ts';

type Envelope = Pick<RunEvent, 'v' | 'seq' | 'at' | 'run'>;

/** An event of a run that never was; `second` counts from its start. */
export function event<B extends EventBody>(body: B, second = 0): B & Envelope {
  const at = new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
  return { v: EVENT_VERSION, seq: 1, at, run: 'r1', ...body };
}

export const START = Date.UTC(2026, 0, 1);

export function task(name: string, more: Partial<TaskReference> = {}): TaskReference {
  return { id: `plays[0].tasks[${name}]`, name, module: 'command', section: 'tasks', ...more };
}

export function taskStarted(host: string, name: string, second = 0): RunEvent {
  return event({ type: 'task-started', play: 0, batch: 0, host, task: task(name) }, second);
}

export function taskEnded(
  host: string,
  name: string,
  more: Partial<Extract<EventBody, { type: 'task-ended' }>> = {},
  second = 0,
) {
  return event(
    {
      type: 'task-ended',
      play: 0,
      batch: 0,
      host,
      task: task(name),
      status: 'ok',
      duration: 100,
      changes: [],
      ...more,
    },
    second,
  );
}

export function recap(more: Partial<HostRecap> = {}): HostRecap {
  return { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0, ...more };
}
