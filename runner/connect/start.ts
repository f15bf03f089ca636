import { ReeveError } from '../errors.ts';
import { prelude } from './prelude.ts';
import { quote } from './quote.ts';
import type { Become } from './types.ts';

/** What a shell is started with: unique texts by which its output is recognised. */
export interface StartMarks {
  /** Printed on both streams when the shell is ready. */
  hello: string;
  /** Part of the name of its temporary folder. */
  folder: string;
  /** What sudo prints when it wants a password. */
  prompt: string;
}

/** The argument vector that starts the persistent shell, as `become` when given. */
export function startArgv(shell: string, become: Become | undefined, marks: StartMarks): string[] {
  const argv = [...shell.split(/ +/), '-c', prelude(marks.hello, marks.folder, shell)];
  return become ? becomeArgv(become, argv, marks.prompt) : argv;
}

/** Text for the login shell: `exec` saves the process that would only wait. */
export function startCommand(argv: readonly string[]): string {
  return `exec ${quote(argv)}`;
}

/**
 * Runs `argv` as another user. With a password sudo asks on the channel itself (`-S`), with a prompt that nothing else
 * prints; without one it must not ask at all (`-n`).
 */
export function becomeArgv(become: Become, argv: readonly string[], prompt: string): string[] {
  switch (become.method) {
    case 'sudo':
      return become.password === undefined
        ? ['sudo', '-n', '-H', '-u', become.user, '--', ...argv]
        : ['sudo', '-S', '-p', prompt, '-H', '-u', become.user, '--', ...argv];
    case 'su':
      // su hands the text to the user's login shell; LC_ALL fixes the words of its prompt.
      return ['env', 'LC_ALL=C', 'su', become.user, '-c', startCommand(argv)];
    case 'doas':
      if (become.password !== undefined) {
        throw new ReeveError('become-failed', 'doas reads its password from a terminal only, and there is none', {
          hint: 'Use a `permit nopass` rule in doas.conf, or become_method: sudo.',
          exitCode: 3,
        });
      }
      return ['doas', '-n', '-u', become.user, '--', ...argv];
  }
}

/** How the prompt of a method is recognised on stderr or stdout. */
export function promptPattern(become: Become, marks: StartMarks): RegExp | undefined {
  if (become.password === undefined) return undefined;
  return become.method === 'sudo' ? new RegExp(marks.prompt) : /password[^\n]*: ?$/i;
}
