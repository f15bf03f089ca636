import type { RunEvent } from '../events.ts';
import type { RunHeader } from '../run-header.ts';
import { ApiWatches } from './api-watches.ts';
import { askedAt, controlPlanes } from './control-plane.ts';

/** What a journal says of a run at this moment. */
export interface RunStatus {
  name: string;
  check: boolean;
  startedAt: string;
  /** Of the last event. */
  lastAt: string;
  outcome?: string;
  message?: string;
  /** The phase, and the hosts whose turn it is. */
  play?: { name: string; batch: number; of: number; hosts: readonly string[] };
  /** What runs on each host, since when. */
  running: { host: string; task: string; since: string; progress?: string }[];
  hosts: Record<string, { done: number; changed: number; failed: number }>;
  failures: { host: string; task: string; message: string }[];
  nodes: Record<string, string>;
  pendingHandlers: Record<string, readonly string[]>;
  /** Locks that it has taken and not given back. */
  locks: string[];
  resumed: number;
  /** The last play that a rollback which has not come to its end leaves as it is. */
  rollbackTo?: string;
  /** API servers that do not answer at this moment, since when and why. */
  apiAway: { server: string; since: string; detail: string }[];
  /** milliseconds that the control plane did not answer so far; absent where nobody asked it. */
  controlPlaneAway?: number;
}

/**
 * Reads the state of a run out of its events.
 * @param header says what it is when it has died before its first event.
 */
export function statusOf(
  events: readonly RunEvent[],
  header?: Pick<RunHeader, 'playbook' | 'startedAt' | 'options'>,
): RunStatus {
  const status: RunStatus = {
    name: header?.playbook.name ?? '',
    check: header?.options.check ?? false,
    startedAt: events[0]?.at ?? header?.startedAt ?? '',
    lastAt: events.at(-1)?.at ?? header?.startedAt ?? '',
    running: [],
    hosts: {},
    failures: [],
    nodes: {},
    pendingHandlers: {},
    locks: [],
    resumed: 0,
    apiAway: [],
  };
  const watches = new ApiWatches();
  let before = '';
  const running: Running = new Map();
  const plays: string[] = [];
  for (const event of events) {
    if (event.type === 'play-started') plays[event.play] = event.name;
    follow(status, running, event);
    if (event.type === 'rollback-started') Object.assign(status, lastKept(plays, event.keeps));
    watches.take(event, before);
    before = event.at;
  }
  const planes = controlPlanes({ apiWatches: watches.all, lastAt: status.lastAt });
  if (planes.length > 0) status.controlPlaneAway = planes.reduce((sum, { duration }) => sum + duration, 0);
  status.apiAway = watches.all.flatMap((watch) => {
    const gap = watch.gaps.at(-1);
    if (watch.until !== undefined || !gap || gap.until !== undefined) return [];
    return [{ server: askedAt(watch), since: gap.from, detail: gap.detail }];
  });
  status.running = [...running.values()];
  return status;
}

function lastKept(plays: readonly string[], keeps = 0): Pick<RunStatus, 'rollbackTo'> {
  const rollbackTo = plays[keeps - 1];
  return rollbackTo === undefined ? {} : { rollbackTo };
}

/** By host and id of the task. */
type Running = Map<string, RunStatus['running'][number]>;

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
      status.play = { name: event.name, batch: 0, of: event.batches, hosts: event.hosts };
      break;
    case 'batch-started':
      if (status.play) Object.assign(status.play, { batch: event.batch + 1, hosts: event.hosts });
      break;
    case 'task-started':
      running.set(`${event.host} ${event.task.id}`, { host: event.host, task: event.task.name, since: event.at });
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
    case 'lock-taken':
      status.locks = [...status.locks.filter((lock) => lock !== event.lock), event.lock];
      break;
    case 'lock-released':
      status.locks = status.locks.filter((lock) => lock !== event.lock);
      break;
    case 'rollback-started':
      status.outcome = 'being rolled back';
      // What an earlier rollback took back is not all any more.
      delete status.message;
      break;
    case 'undo-started':
      running.set(`${event.host} ${event.effect}`, {
        ...{ host: event.host, task: `takes back ${event.task.name}`, since: event.at },
      });
      break;
    case 'undo-ended':
      running.delete(`${event.host} ${event.effect}`);
      break;
    case 'rollback-ended':
      status.outcome = event.ok ? 'rolled back' : 'partly rolled back';
      if (event.ok) delete status.rollbackTo;
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
