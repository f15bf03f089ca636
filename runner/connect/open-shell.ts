import { type Greeting, greet } from './greet.ts';
import { newNonce, type ShellContext, StreamShell } from './shell.ts';
import { type StartMarks, startArgv, startCommand } from './start.ts';
import { explainSsh } from './transports/openssh-errors.ts';
import { openPct } from './transports/pct.ts';
import type { Become, ConnectionSpec, Shell, Transport } from './types.ts';

/** milliseconds to connect and to get a shell, when the host says nothing else. */
export const CONNECT_TIMEOUT = 10_000;

export function newMarks(): StartMarks {
  return { hello: `reeve${newNonce()}`, folder: newNonce(), prompt: `reeve-${newNonce()}:` };
}

/**
 * Opens a persistent shell on the host as `become` (or as who logs in). Throws UnreachableError, ReeveError `become-failed`,
 * and what the transport throws.
 */
export async function openShell(
  spec: ConnectionSpec,
  become: Become | undefined,
  transport: Transport,
  context: ShellContext,
): Promise<Shell> {
  const marks = newMarks();
  const argv = startArgv(spec.shell ?? 'sh', become, marks);
  const timeout = spec.connectTimeout ?? CONNECT_TIMEOUT;
  if (spec.transport === 'pct') return openPct({ spec, become, transport, context, marks, argv, timeout });
  const stream = await transport.open(startCommand(argv));
  const greeting = greet(stream, spec.host, marks, become, timeout);
  return new StreamShell(stream, spec.transport === 'openssh' ? explained(greeting, spec) : greeting, context);
}

function explained(greeting: Greeting, spec: ConnectionSpec): Greeting {
  const pid = greeting.pid.catch((error) => {
    throw explainSsh(spec, error);
  });
  return { ...greeting, pid };
}
