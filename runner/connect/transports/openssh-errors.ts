import { ReeveError, UnreachableError } from '../../errors.ts';
import type { ConnectionSpec } from '../types.ts';

interface Row {
  said: RegExp;
  error(spec: ConnectionSpec, cause: Error): ReeveError;
}

/** What the system's ssh says when it gets nowhere (ssh.c, sshconnect.c, misc.c), most telling first. */
const ROWS: Row[] = [
  {
    said: /REMOTE HOST IDENTIFICATION HAS CHANGED|Offending \S+ key in/,
    error: (spec, cause) =>
      refused('host-key-changed', `${spec.host}: the host key of ${spec.address} has changed`, cause, [
        'Its known_hosts line is named above. If the host was set up anew, remove it with ssh-keygen -R.',
        'Otherwise somebody may be listening.',
      ]),
  },
  {
    said: /Host key verification failed|No \S+ host key is known/,
    error: (spec, cause) =>
      refused('host-key-unknown', `${spec.host}: the host key of ${spec.address} is unknown`, cause, [
        'Compare it with the server’s own, then connect once with ssh, or run with --host-key-checking accept-new.',
      ]),
  },
  {
    said: /Permission denied \(|Too many authentication failures/,
    error: (spec, cause) =>
      refused('login-failed', `${spec.host}: ${spec.address} does not let the user in`, cause, [
        spec.password !== undefined || spec.passphrase !== undefined
          ? 'The system’s ssh is given no password or passphrase: use an agent, or transport: ssh.'
          : 'Try the same by hand: ssh -v.',
      ]),
  },
  {
    said: /Bad configuration option|Bad owner or permissions|terminating, \d+ bad/,
    error: (spec, cause) => refused('bad-ssh-config', `${spec.host}: ssh does not accept its configuration`, cause, []),
  },
  { said: /Could not resolve hostname/, error: (spec, cause) => unreachable(spec, 'cannot be found', cause) },
  { said: /Connection refused/, error: (spec, cause) => unreachable(spec, 'refuses the connection', cause) },
  { said: /timed out/, error: (spec, cause) => unreachable(spec, 'does not answer in time', cause) },
  { said: /No route to host|unreachable/, error: (spec, cause) => unreachable(spec, 'cannot be reached', cause) },
];

/** The error of a shell that did not come, in the words that the other transport has for it. */
export function explainSsh(spec: ConnectionSpec, error: unknown): unknown {
  if (!(error instanceof UnreachableError)) return error;
  return ROWS.find(({ said }) => said.test(error.message))?.error(spec, error) ?? error;
}

function refused(code: string, message: string, cause: Error, hints: string[]): ReeveError {
  return new ReeveError(code, `${message}; ${saidBy(cause)}`, {
    cause,
    hint: hints.join(' ') || undefined,
    exitCode: 3,
  });
}

function unreachable(spec: ConnectionSpec, what: string, cause: Error): UnreachableError {
  return new UnreachableError(`${spec.host}: ${spec.address} ${what}; ${saidBy(cause)}`, {
    cause,
    hint: 'Check address, port and network; `ssh -v` to the same address tells more.',
  });
}

function saidBy({ message }: Error): string {
  return `ssh ${message.slice(message.indexOf('said: '))}`;
}
