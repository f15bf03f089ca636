import type { RunEvent, TaskStarted } from '../events.ts';

/** What a journal says of a run at this moment. */
export interface RunStatus {
  name: string;
  check: boolean;
  startedAt: string;
  /** Of the last event. */
  lastAt: string;
  outcome?: string;
  message?: string;
  play?: { name: string; batch: number; of: number };
  /** What runs on each host, since when. */
  running: { host: string; task: string; since: string; progress?: string }[];
  hosts: Record<string, { done: number; changed: number; failed: number }>;
  failures: { host: string; task: string; message: string }[];
  nodes: Record<string, string>;
  pendingHandlers: Record<string, readonly string[]>;
  resumed: number;
}

/** Reads the state of a run out of its events. */
export function statusOf(events: readonly RunEvent[]): RunStatus {
  const status: RunStatus = {
    name: '',
    check: false,
    startedAt: events[0]?.at ?? '',
    lastAt: events.at(-1)?.at ?? '',
    running: [],
    hosts: {},
    failures: [],
    nodes: {},
    pendingHandlers: {},
    resumed: 0,
  };
  const running = new Map<string, { event: TaskStarted & { at: string }; progress?: string }>();
  for (const event of events) follow(status, running, event);
  status.running = [...running.values()].map(({ event, progress }) => ({
    host: event.host,
    task: event.task.name,
    since: event.at,
    ...(progress === undefined ? {} : { progress }),
  }));
  return status;
}

type Running = Map<string, { event: TaskStarted & { at: string }; progress?: string }>;

function follow(status: RunStatus, running: Running, event: RunEvent): void {
  switch (event.type) {
    case 'run-started':
      status.name = event.name;
      status.check = event.check;
      break;
    case 'run-resumed':
      // What ran when it died does not run any more, and what failed is tried again.
      running.clear();
      status.resumed++;
      status.failures = [];
      status.pendingHandlers = {};
      delete status.outcome;
      delete status.message;
      break;
    case 'play-started':
      status.play = { name: event.name, batch: 0, of: event.batches };
      break;
    case 'batch-started':
      if (status.play) status.play.batch = event.batch + 1;
      break;
    case 'task-started':
      running.set(`${event.host} ${event.task.id}`, { event });
      break;
    case 'task-progress': {
      const entry = running.get(`${event.host} ${event.task}`);
      if (entry) entry.progress = event.message;
      break;
    }
    case 'task-ended':
      running.delete(`${event.host} ${event.task.id}`);
      count(status, event);
      break;
    case 'node-state':
      if (event.state === 'as it should be') delete status.nodes[event.node];
      else status.nodes[event.node] = event.state;
      break;
    case 'handlers-pending':
      status.pendingHandlers[event.host] = event.handlers;
      break;
    case 'rollback-started':
      status.outcome = 'being rolled back';
      break;
    case 'rollback-ended':
      status.outcome = event.ok ? 'rolled back' : 'partly rolled back';
      if (event.message !== undefined) status.message = event.message;
      break;
    case 'run-ended':
      running.clear();
      // A run that took its changes back by itself ends as what it left, not as what went wrong.
      if (!status.outcome?.endsWith('rolled back')) status.outcome = event.outcome;
      if (event.message !== undefined) status.message = event.message;
      break;
  }
}

function count(status: RunStatus, event: Extract<RunEvent, { type: 'task-ended' }>): void {
  status.hosts[event.host] ??= { done: 0, changed: 0, failed: 0 };
  const host = status.hosts[event.host]!;
  host.done++;
  if (event.status === 'changed') host.changed++;
  if ((event.status === 'failed' || event.status === 'unreachable') && !event.ignored) {
    host.failed++;
    status.failures.push({ host: event.host, task: event.task.name, message: event.message ?? event.status });
  }
}
