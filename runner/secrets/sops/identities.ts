import { readFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';
import { runSecretCommand } from '../command.ts';
import { secretProblem, wholeFile } from '../problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The private keys that were found, and where they were looked for. */
export interface AgeIdentities {
  keys: string[];
  looked: string[];
}

/**
 * The age keys of this user, where SOPS looks for them: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, the output of SOPS_AGE_KEY_CMD,
 * and `sops/age/keys.txt` in the user's folder of configuration.
 * @throws InvalidError when what a variable names cannot be read.
 */
export function ageIdentities(environment: Environment): AgeIdentities {
  const keys: string[] = [];
  const looked: string[] = [];
  const { SOPS_AGE_KEY: key, SOPS_AGE_KEY_FILE: file, SOPS_AGE_KEY_CMD: command } = environment;
  if (key) {
    looked.push('SOPS_AGE_KEY');
    keys.push(...keysIn(key));
  }
  if (file) {
    looked.push(`SOPS_AGE_KEY_FILE (${file})`);
    keys.push(...keysIn(readKeyFile(file, true) ?? ''));
  }
  if (command) {
    looked.push('SOPS_AGE_KEY_CMD');
    keys.push(...keysIn(outputOf(command)));
  }
  const usual = usualFile(environment);
  looked.push(usual);
  keys.push(...keysIn(readKeyFile(usual, false) ?? ''));
  return { keys: [...new Set(keys)], looked };
}

function keysIn(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
}

function usualFile(environment: Environment): string {
  const home = environment.HOME || homedir();
  const folder =
    environment.XDG_CONFIG_HOME ||
    (platform() === 'darwin' ? join(home, 'Library/Application Support') : join(home, '.config'));
  return join(folder, 'sops/age/keys.txt');
}

function readKeyFile(file: string, isNamed: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!isNamed && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw secretProblem('age-key-unreadable', `the file with age keys cannot be read (${code})`, wholeFile(file));
  }
}

function outputOf(command: string): string {
  const done = runSecretCommand(['sh', '-c', command], resolve('.'));
  if ('output' in done) return done.output;
  throw secretProblem(
    'age-key-command',
    `SOPS_AGE_KEY_CMD should print an age key: ${done.problem}`,
    wholeFile('SOPS_AGE_KEY_CMD'),
  );
}
