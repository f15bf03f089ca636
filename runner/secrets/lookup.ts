import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Place } from '../errors.ts';
import { runSecretCommand } from './command.ts';
import { secretProblem } from './problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FORM = /^(env|file|exec):(.*)$/s;
const HINT = 'write `!secret env:NAME`, `!secret file:PATH` or `!secret exec:COMMAND`';

/**
 * The value that `env:NAME`, `file:PATH` or `exec:COMMAND` stands for. A path is relative to the file that names it, and
 * a command runs there, with `sh`; one line break at the end of what a file or a command gives is no part of it.
 * @throws InvalidError at `place`.
 */
export function lookUp(text: string, place: Place, environment: Environment): string {
  const { kind, what } = parse(text, place);
  if (kind === 'env') return fromEnvironment(what, place, environment);
  const value = (kind === 'file' ? fromFile(what, place) : fromCommand(what, place)).replace(/\r?\n$/, '');
  if (value === '') throw secretProblem('secret-empty', `\`${kind}:${what}\` gave an empty secret`, place);
  return value;
}

/** What can be told without fetching it. @throws InvalidError */
export function checkLookup(text: string, place: Place): void {
  parse(text, place);
}

/** Whether looking it up runs no command. */
export function isCheap(text: string): boolean {
  return !text.trim().startsWith('exec:');
}

function parse(text: string, place: Place): { kind: string; what: string } {
  const [, kind, rest] = FORM.exec(text.trim()) ?? [];
  const what = rest?.trim() ?? '';
  if (kind === undefined || what === '') {
    // The text may be the secret itself, so it is not repeated.
    throw secretProblem('secret-form', '`!secret` does not say where the secret comes from', place, HINT);
  }
  return { kind, what };
}

function fromEnvironment(name: string, place: Place, environment: Environment): string {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  const state = value === undefined ? 'not set' : 'empty';
  throw secretProblem('secret-missing', `the environment variable ${name} is ${state}`, place);
}

function pathOf(what: string, place: Place): string {
  return what.startsWith('~/') ? resolve(homedir(), what.slice(2)) : resolve(dirname(place.file), what);
}

function fromFile(what: string, place: Place): string {
  const bytes = bytesOf(what, place);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw secretProblem('secret-not-text', `the file ${what} of this secret holds something else than UTF-8 text`, place);
}

function bytesOf(what: string, place: Place): Buffer {
  try {
    return readFileSync(pathOf(what, place));
  } catch (error) {
    throw unreadable(what, place, error);
  }
}

function unreadable(what: string, place: Place, error: unknown) {
  const code = (error as NodeJS.ErrnoException).code;
  const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
  return secretProblem('secret-missing', `the file ${what} of this secret: ${why}`, place);
}

function fromCommand(what: string, place: Place): string {
  const done = runSecretCommand(['sh', '-c', what], resolve(dirname(place.file)));
  if ('output' in done) return done.output;
  throw secretProblem(
    'secret-command',
    `the command of this secret failed: ${done.problem}`,
    place,
    'run it by hand to see what it says; its messages are not shown here, since a secret may be in them',
  );
}
