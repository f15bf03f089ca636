import { named } from './names.ts';
import type { RunStatus } from './status.ts';
import { shownDuration } from './time.ts';

/** What a journal cannot tell of its run. */
export interface Seen {
  id: string;
  /** A process is writing the journal, as far as this machine can tell. */
  alive: boolean;
  /** The process, when it is, or was, on another machine. */
  elsewhere?: { pid: number; host: string };
  /** milliseconds since 1970 */
  now: number;
}

const MOST_RUNNING = 12;
const MOST_FAILURES = 10;

/** The state of a run for people: what it is at, who is affected, what to do. */
export function statusLines(status: RunStatus, seen: Seen): string[] {
  const state = stateOf(status, seen);
  const counts = Object.values(status.hosts);
  const sum = (name: 'done' | 'changed' | 'failed') => counts.reduce((total, host) => total + host[name], 0);
  const times = status.resumed === 1 ? 'once' : `${status.resumed} times`;
  return [
    `${status.name}${status.check ? ' (check)' : ''}: ${state}`,
    `  run ${seen.id}, started ${status.startedAt}${status.resumed > 0 ? `, resumed ${times}` : ''}`,
    ...phaseLine(status),
    ...(counts.length === 0
      ? []
      : [
          `  ${plural(counts.length, 'host')}: ${plural(sum('done'), 'task')} done, ${sum('changed')} changed, ${sum('failed')} failed`,
        ]),
    ...runningLines(status, seen),
    ...failureLines(status),
    ...apiLines(status, seen),
    ...Object.entries(status.nodes).map(([node, is]) => `  node ${node} is ${is}`),
    ...Object.entries(status.pendingHandlers).map(
      ([host, names]) => `  ${host}: handlers that did not run: ${names.join(', ')}`,
    ),
    ...lockLines(status, seen),
    ...wayOn(status, seen),
  ];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function phaseLine({ play }: RunStatus): string[] {
  if (!play) return [];
  const batch = play.of > 1 ? `, batch ${play.batch} of ${play.of}` : '';
  return [`  play ${play.name}${batch}${play.hosts.length > 0 ? `: ${named(play.hosts)}` : ''}`];
}

function stateOf(status: RunStatus, { alive, elsewhere, now }: Seen): string {
  const heard = `last heard of ${shownDuration(Math.max(0, now - Date.parse(status.lastAt)))} ago`;
  const { outcome, message } = status;
  if (elsewhere && !outcome) {
    const { pid, host } = elsewhere;
    return `running or dead: process ${pid} is on ${host}, and cannot be seen from here; ${heard}`;
  }
  if (alive) return outcome === 'being rolled back' ? outcome : 'running';
  if (outcome && outcome !== 'being rolled back') return `${outcome}${message ? `: ${message}` : ''}`;
  return `died: its process is gone; ${heard}, at ${status.lastAt}`;
}

/** What runs, or ran when it died. */
function runningLines({ running, lastAt }: RunStatus, { alive, now }: Seen): string[] {
  const until = alive ? now : Date.parse(lastAt);
  const lines = running.slice(0, MOST_RUNNING).map(({ host, task, since, progress }) => {
    const time = shownDuration(Math.max(0, until - Date.parse(since)));
    return `  ${host}: ${task} (${alive ? `for ${time}` : `was at it for ${time}`})${progress ? `: ${progress}` : ''}`;
  });
  const left = running.slice(MOST_RUNNING).map(({ host }) => host);
  return left.length === 0 ? lines : [...lines, `  … and ${left.length} more: ${named(left)}`];
}

function failureLines({ failures }: RunStatus): string[] {
  const lines = failures
    .slice(0, MOST_FAILURES)
    .map(({ host, task, message }) => `  failed: ${host}: ${task} — ${message.split('\n', 1)[0]}`);
  const left = failures.length - lines.length;
  return left > 0 ? [...lines, `  … and ${left} more failures`] : lines;
}

function apiLines({ apiAway, controlPlaneAway }: RunStatus, { alive, now }: Seen): string[] {
  if (alive && apiAway.length > 0) {
    return apiAway.map(({ server, since, detail }) => {
      const time = shownDuration(Math.max(0, now - Date.parse(since)));
      return `  the API at ${server} has not answered for ${time}: ${detail}`;
    });
  }
  return controlPlaneAway ? [`  the control plane did not answer for ${shownDuration(controlPlaneAway)}`] : [];
}

/** A lock that nobody is there to give back any more. */
function lockLines({ locks }: RunStatus, { alive, elsewhere }: Seen): string[] {
  if (alive || elsewhere) return [];
  return locks.map(
    (lock) =>
      `  the lock ${lock} was not given back: this run takes it again at once, another one after a minute; \`reeve lock break ${lock}\` frees it`,
  );
}

function wayOn({ outcome = '', rollbackTo }: RunStatus, { alive, id }: Seen): string[] {
  if (alive) return [];
  if (outcome === 'being rolled back' || outcome === 'partly rolled back')
    return [
      `  \`reeve rollback ${id}${rollbackTo === undefined ? '' : ` --to "${rollbackTo}"`}\` goes on with the rollback`,
    ];
  return ['', 'failed', 'interrupted', 'unreachable', 'error'].includes(outcome)
    ? [`  \`reeve resume ${id}\` goes on with it`]
    : [];
}
