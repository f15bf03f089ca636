import type { HostRecap, RunEnded } from '../events.ts';
import type { Painter } from './paint.ts';
import { shownPlace } from './task-lines.ts';
import { shownDuration } from './time.ts';

/** Handlers that failures kept from running, by host. */
export type PendingHandlers = ReadonlyMap<string, readonly string[]>;

const COLUMNS: readonly (keyof HostRecap)[] = [
  'ok',
  'changed',
  'unknown',
  'unreachable',
  'failed',
  'skipped',
  'rescued',
  'ignored',
];
const STATUS = {
  ok: 'ok',
  changed: 'changed',
  unknown: 'unknown',
  unreachable: 'unreachable',
  failed: 'failed',
  skipped: 'skipped',
  rescued: 'rescued',
  ignored: 'ignored',
} as const;

/** The end of a run: a line for each host, what is left undone, and how it went. */
export function recapLines(event: RunEnded, check: boolean, pending: PendingHandlers, paint: Painter): string[] {
  const hosts = Object.entries(event.recap);
  const width = Math.max(0, ...hosts.map(([host]) => host.length));
  const lines: string[] = [];
  if (hosts.length > 0) lines.push('', paint.bold('RECAP'));
  for (const [host, recap] of hosts) {
    const counts = COLUMNS.filter((name) => recap[name] > 0 || name === 'ok' || name === 'changed').map((name) =>
      recap[name] > 0 ? paint.status(STATUS[name], `${name}=${recap[name]}`) : `${name}=0`,
    );
    lines.push(`  ${host.padEnd(width)}  ${counts.join('  ')}`);
  }
  for (const [host, handlers] of pending)
    lines.push(paint.warn(`  ${host}: handlers that did not run: ${handlers.join(', ')}`));
  for (const [node, state] of Object.entries(event.nodes)) lines.push(paint.bad(`  node ${node} is left ${state}`));
  return [...lines, '', ...closing(event, check, paint)];
}

function closing(event: RunEnded, check: boolean, paint: Painter): string[] {
  const time = shownDuration(event.duration);
  const words: Record<RunEnded['outcome'], string> = {
    done: check ? `Checked in ${time}; nothing was written.` : `Done in ${time}.`,
    failed: `Failed after ${time}.`,
    unreachable: `Hosts could not be reached; ended after ${time}.`,
    refused: `Refused after ${time}.`,
    interrupted: `Interrupted after ${time}.`,
    error: `Ended by an error after ${time}.`,
  };
  const good = event.outcome === 'done';
  return [
    ...(event.message ? [paint.bad(event.message)] : []),
    ...(event.place ? [paint.dim(`at ${shownPlace(event.place)}`)] : []),
    ...(event.hint ? [`hint: ${event.hint}`] : []),
    good ? words.done : paint.bad(words[event.outcome]),
  ];
}
