import type { RunEvent } from '../events.ts';
import { askedAt } from './control-plane.ts';
import { named, notStarted } from './names.ts';
import { shownPlace } from './task-lines.ts';
import { shownDuration } from './time.ts';
import { visible } from './visible.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'PROGRESS' | 'SUCCESS' | 'WARN' | 'ERROR';

/**
 * An event as lines of the log file of a run: `2026-01-02T03:04:05.678Z SUCCESS  host: text`, UTC. Empty for what only
 * a verbose log tells.
 */
export function logLines(event: RunEvent, verbose = false): string[] {
  const told = tell(event);
  if (!told || (told.level === 'DEBUG' && !verbose)) return [];
  const before = `${event.at} ${told.level.padEnd(8)} ${told.host === undefined ? '' : `${told.host}: `}`;
  return told.text
    .split('\n')
    .map((line) => visible(line))
    .filter((line) => line.trim() !== '')
    .map((line) => before + line);
}

interface Told {
  level: LogLevel;
  host?: string;
  text: string;
}

function tell(event: RunEvent): Told | undefined {
  switch (event.type) {
    case 'run-started':
      return {
        level: 'INFO',
        text: `run ${event.run}: ${event.name}${event.check ? ' (check)' : ''}, reeve ${event.reeve}`,
      };
    case 'run-resumed':
      return { level: 'INFO', text: `the run goes on, reeve ${event.reeve}` };
    case 'lock-taken':
      return { level: 'INFO', text: `holds the lock ${event.lock}` };
    case 'lock-released':
      return { level: 'INFO', text: `gave back the lock ${event.lock}` };
    case 'rollback-started':
      return {
        level: 'PROGRESS',
        text: `rollback: ${event.steps === 1 ? 'one change goes' : `${event.steps} changes go`} back`,
      };
    case 'rollback-ended':
      return {
        level: event.ok ? 'SUCCESS' : 'ERROR',
        text: `rollback ended${event.message ? `: ${event.message}` : ''}${event.hint ? `\nhint: ${event.hint}` : ''}`,
      };
    case 'play-started':
      return event.hosts.length === 0
        ? undefined
        : { level: 'PROGRESS', text: `play ${event.name}: ${named(event.hosts)}` };
    case 'batch-started':
      return event.of > 1
        ? { level: 'PROGRESS', text: `batch ${event.batch + 1} of ${event.of}: ${named(event.hosts)}` }
        : undefined;
    case 'play-ended':
      return event.skippedBatches > 0 ? { level: 'WARN', text: notStarted(event.skippedBatches) } : undefined;
    case 'notice':
      return noticeTold(event);
    case 'note':
      return { level: 'INFO', text: `note${event.by === undefined ? '' : ` of ${event.by}`}: ${event.text}` };
    case 'node-state':
      return event.state === 'as it should be' || event.state === ''
        ? { level: 'SUCCESS', text: `node ${event.node} is as it should be` }
        : { level: 'WARN', text: `node ${event.node}: ${event.state}` };
    case 'api-watched':
      return { level: 'INFO', text: `the API at ${askedAt(event)} is asked every ${event.interval / 1_000} s` };
    case 'api-unavailable':
      return { level: 'WARN', text: `the API at ${askedAt(event)} does not answer: ${event.detail}` };
    case 'api-available':
      return {
        level: 'SUCCESS',
        text: `the API at ${askedAt(event)} answers again after ${shownDuration(event.duration)}`,
      };
    case 'run-ended':
      return runEnded(event);
    default:
      return tellTask(event);
  }
}

function tellTask(event: RunEvent): Told | undefined {
  switch (event.type) {
    case 'task-started':
      return { level: 'DEBUG', host: event.host, text: `${event.task.name} begins` };
    case 'task-progress':
      return { level: 'PROGRESS', host: event.host, text: event.message };
    case 'task-output':
      return { level: 'DEBUG', host: event.host, text: event.text };
    case 'effect-started':
      return {
        level: 'DEBUG',
        host: event.host,
        text: `writes: ${event.changes.map(({ summary }) => summary).join('; ')}`,
      };
    case 'item-ended':
      return { level: 'DEBUG', host: event.host, text: `item ${event.item}: ${event.status}` };
    case 'task-retry':
      return { level: 'WARN', host: event.host, text: `try ${event.attempt} of ${event.of} failed: ${event.message}` };
    case 'task-ended':
      return taskEnded(event);
    case 'host-rescued':
      return { level: 'WARN', host: event.host, text: 'a rescue made the failure good' };
    case 'undo-ended':
      return {
        level: event.ok ? 'SUCCESS' : 'ERROR',
        host: event.host,
        text: `${event.task.name}: ${event.ok ? 'taken back' : `not taken back — ${event.message ?? ''}`}`,
      };
    case 'handlers-pending':
      return { level: 'WARN', host: event.host, text: `handlers that did not run: ${event.handlers.join(', ')}` };
    default:
      return undefined;
  }
}

function noticeTold({ level, host, message, hint }: Extract<RunEvent, { type: 'notice' }>): Told {
  const levels = { info: 'INFO', warning: 'WARN', error: 'ERROR' } as const;
  const text = hint === undefined ? message : `${message}\nhint: ${hint}`;
  return { level: levels[level], text, ...(host === undefined ? {} : { host }) };
}

function taskEnded(event: Extract<RunEvent, { type: 'task-ended' }>): Told {
  const { status, host, task, message, changes, error, duration } = event;
  const levels = {
    ok: 'INFO',
    changed: 'SUCCESS',
    skipped: 'DEBUG',
    unknown: 'INFO',
    failed: 'ERROR',
    unreachable: 'ERROR',
  } as const;
  const place = error?.place ?? task.place;
  const isBad = status === 'failed' || status === 'unreachable';
  const [first = '', ...rest] = (message ?? '').split('\n');
  const how = event.ignored ? 'failed, ignored' : status;
  const lines = [
    `${task.name}: ${how}${first ? ` — ${first}` : ''} (${shownDuration(duration)})`,
    ...rest,
    ...changes.map(({ summary }) => `  ${summary}`),
    ...(event.warnings ?? []).map((warning) => `  warning: ${warning}`),
    ...(isBad && error?.hint ? [`  hint: ${error.hint}`] : []),
    ...(isBad && place ? [`  at ${shownPlace(place)}`] : []),
  ];
  return { level: event.ignored ? 'WARN' : levels[status], host, text: lines.join('\n') };
}

function runEnded({
  outcome,
  exitCode,
  duration,
  message,
  hint,
  nodes,
}: Extract<RunEvent, { type: 'run-ended' }>): Told {
  const lines = [
    `run ended: ${outcome}, exit code ${exitCode}, after ${shownDuration(duration)}`,
    ...(message ? [message] : []),
    ...(hint ? [`hint: ${hint}`] : []),
    ...Object.entries(nodes).map(([node, state]) => `node ${node} is left ${state}`),
  ];
  return { level: outcome === 'done' ? 'SUCCESS' : 'ERROR', text: lines.join('\n') };
}
