import type { TaskRecord } from './record.ts';

const TAIL_LINES = 20;
const MOST_COLUMNS = 400;

/** What a task did, in one line: the command of modules that run one, else the module and what it was told. */
export function commandOf({ task, ended }: TaskRecord): string {
  const cmd = ended?.result?.cmd;
  if (typeof cmd === 'string' && cmd !== '') return cmd;
  const args = Object.entries(ended?.args ?? {}).filter(([, value]) => value !== '');
  return args.length === 0 ? task.module : `${task.module} ${shownValue(Object.fromEntries(args))}`;
}

/** Modules that run nothing anywhere: they compare, print and set values in reeve itself. */
const NO_COMMANDS = new Set(['assert', 'debug', 'fail', 'set-vars', 'flush-handlers', 'pause']);

/** Whether a task has run something on a host or asked a cluster. */
export function isCommand({ task, status }: TaskRecord): boolean {
  return status !== 'skipped' && !NO_COMMANDS.has(task.module);
}

/** The command of a task for a list of commands; says so when one that changes things only looked. */
export function listedCommand(record: TaskRecord): string {
  const { task, effects, status } = record;
  const looked = task.kind === 'action' && effects.length === 0 && status === 'ok';
  return `${commandOf(record)}${looked ? '  # only looked' : ''}`;
}

/** A value as flow YAML, near enough for people. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shownValue).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).map(([key, item]) => `${key}: ${shownValue(item)}`);
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  return /^[\w./:+@%-][\w ./:+@%-]*$/.test(value) && !/: |^(true|false|null|[\d.]+)$/.test(value)
    ? value
    : JSON.stringify(value);
}

/** Output of a task, of each stream its last lines. */
export function outputOf(record: TaskRecord, most = TAIL_LINES): string[] {
  return (['stdout', 'stderr'] as const).flatMap((stream) => {
    const recorded = textOf(record.ended?.result?.[stream]);
    return tail(recorded === '' ? record.output[stream] : recorded, most);
  });
}

/** A text of a result; of one that is kept as an artefact its beginning. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value !== null && typeof value === 'object' && 'begins' in value && 'artefact' in value) {
    return `${String(value.begins)}\n… (the whole text: ${String(value.artefact)})`;
  }
  return '';
}

function tail(text: string, most: number): string[] {
  const lines = text.trimEnd().split('\n');
  if (lines.length === 1 && lines[0] === '') return [];
  const shown = lines
    .slice(-most)
    .map((line) => (line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS)}…` : line));
  const left = lines.length - shown.length;
  return left > 0 ? [`… (${left} lines before)`, ...shown] : shown;
}
