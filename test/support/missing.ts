/** What this machine lacks, for `needs`: one wording for one cause, so that the list after the tests has it once. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { findProgram } from '../lab/hosts/shells.ts';

/** The first of these programs that is not there, as in `kubectl is missing`; undefined where all are. */
export function missing(...programs: string[]): string | undefined {
  const lacking = programs.find((program) => !findProgram(program));
  return lacking && `${lacking} is missing`;
}

/** The same of a program that has to be GNU's. */
export function missingGnu(program: string): string | undefined {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU')
    ? undefined
    : `GNU ${program} is missing`;
}

/** Why no real OpenSSH server can let in the user who runs this; that takes a login shell. */
export function missingSshd(): string | undefined {
  const mayLogIn = !/(^|\/)(nologin|false|sync)$/.test(userInfo().shell ?? '');
  return missing('sshd') ?? (mayLogIn ? undefined : 'the user who runs the tests may not log in');
}

const isRoot = process.getuid?.() === 0;

export const missingRoot = isRoot ? undefined : 'root is needed';
export const isTooMighty = isRoot ? 'not as root: root may read and enter everything' : undefined;
export const missingProc = existsSync('/proc/self/stat') ? undefined : '/proc is missing';
