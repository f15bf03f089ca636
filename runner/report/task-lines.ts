import { COMMAND_LINE, type Place } from '../errors.ts';
import type { TaskEnded } from '../events.ts';
import { unifiedDiff } from './diff.ts';
import type { Painter } from './paint.ts';
import { shownDuration } from './time.ts';

export interface LineOptions {
  verbose: boolean;
  diff: boolean;
  paint: Painter;
  /** The output of the command was shown while it ran. */
  outputShown?: boolean;
}

/** Width of the column that says how a task ended. */
export const WIDTH = 'unreachable'.length;
const INDENT = ' '.repeat(WIDTH + 4);
/** A task that took longer than this says how long, in milliseconds. */
const NOTABLE = 1_000;
const MAX_CHANGES = 50;

/** How a finished task is told: one line with its status, and what a person needs to know below it. */
export function taskLines(event: TaskEnded, options: LineOptions): string[] {
  const { paint } = options;
  const status = event.ignored ? 'ignored' : event.status;
  const [head, ...rest] = withTime(event, `${event.host}: ${event.task.name}`, paint);
  return [
    `  ${paint.status(status, status.padEnd(WIDTH))}  ${head}`,
    ...details(event, rest, options).map((line) => INDENT + line),
  ];
}

/** The same below its host in a tree: `before` stands before the task's name. */
export function taskLinesBelowHost(event: TaskEnded, options: LineOptions, before = ''): string[] {
  const { paint } = options;
  const status = event.ignored ? 'ignored' : event.status;
  const [head, ...rest] = withTime(event, `${before}${event.task.name}`, paint);
  return [`${paint.status(status, status)}  ${head}`, ...details(event, rest, options).map((line) => `  ${line}`)];
}

/** The first line: what, what came of it, how long it took; then the other lines of the message. */
function withTime(event: TaskEnded, what: string, paint: Painter): [string, ...string[]] {
  const time = event.duration >= NOTABLE ? paint.dim(` (${shownDuration(event.duration)})`) : '';
  // Errors of connections begin with the host, which stands before or above this already.
  const prefix = `${event.host}: `;
  const message = event.message?.startsWith(prefix) ? event.message.slice(prefix.length) : event.message;
  const [first = '', ...rest] = (message ?? '').split('\n');
  return [`${what}${first ? ` — ${first}` : ''}${time}`, ...rest];
}

function details(event: TaskEnded, rest: string[], options: LineOptions): string[] {
  const { paint } = options;
  const lines = [...rest];
  for (const change of event.changes.slice(0, MAX_CHANGES)) {
    lines.push(change.summary);
    if (event.diff ?? options.diff) lines.push(...unifiedDiff(change, paint));
  }
  if (event.changes.length > MAX_CHANGES) lines.push(`… and ${event.changes.length - MAX_CHANGES} more changes`);
  for (const warning of event.warnings ?? []) lines.push(paint.warn(`warning: ${warning}`));
  if (event.status === 'failed' || event.status === 'unreachable') lines.push(...failure(event, paint));
  if (options.verbose && event.result) lines.push(...resultLines(event.result, options));
  return lines;
}

function failure(event: TaskEnded, paint: Painter): string[] {
  const place = event.error?.place ?? event.task.place;
  const result = failedItem(event.result?.results) ?? event.result;
  const output = ['stdout', 'stderr'].flatMap((stream) => tail(stream, result?.[stream], event.message ?? ''));
  return [
    ...output,
    ...(event.error?.hint ? [`hint: ${event.error.hint}`] : []),
    ...(place && place.file !== COMMAND_LINE ? [paint.dim(`at ${shownPlace(place)}`)] : []),
  ];
}

/** The first of a loop's results that failed. */
function failedItem(results: unknown): Record<string, unknown> | undefined {
  return Array.isArray(results) ? results.find((one) => one?.failed === true) : undefined;
}

const TAIL_LINES = 20;

/** The last lines of a failed command's output, unless the message shows them already. */
function tail(stream: string, value: unknown, message: string): string[] {
  if (typeof value !== 'string' || value.trim() === '' || message.includes(value.trim())) return [];
  const lines = value.trimEnd().split('\n');
  const shown = lines.slice(-TAIL_LINES);
  const left = lines.length - shown.length;
  return [`${stream}:${left > 0 ? ` (${left} lines before)` : ''}`, ...shown.map((line) => `  ${line}`)];
}

const SELF_EVIDENT = new Set(['changed', 'failed', 'skipped', 'unknown', 'message']);

function resultLines(result: Record<string, unknown>, { paint, outputShown }: LineOptions): string[] {
  const isShown = (name: string) =>
    (outputShown === true && (name === 'stdout' || name === 'stderr')) ||
    // The same text once more, as a list.
    (name.endsWith('_lines') && name.slice(0, -'_lines'.length) in result);
  const entries = Object.entries(result).filter(
    ([name, value]) => !SELF_EVIDENT.has(name) && !isShown(name) && value !== '' && value !== undefined,
  );
  return entries.flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const [first, ...rest] = text.trimEnd().split('\n');
    return rest.length === 0
      ? [paint.dim(`${name}: ${first}`)]
      : [paint.dim(`${name}:`), ...[first, ...rest].map((line) => `  ${line}`)];
  });
}

/** `file:line:column`, which editors and terminals make a link of. */
export function shownPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}
