import { ReeveError, UnreachableError } from '../errors.ts';
import type { Become, ConnectionSpec, Connections } from './types.ts';

export interface WaitOptions {
  /** milliseconds */
  timeout: number;
  /** The boot id from before a restart: the host counts as back only with another one. */
  bootId?: string;
  signal?: AbortSignal;
}

/** milliseconds for one attempt, and between attempts. */
const ATTEMPT = 5_000;
const PAUSE = { first: 250, factor: 1.5, longest: 3_000 };

const BOOT_ID = `if [ -r /proc/sys/kernel/random/boot_id ]; then cat /proc/sys/kernel/random/boot_id
else sysctl -n kern.boottime 2>/dev/null; fi`;

/** The host's boot id: another one after each restart. Empty where the system has none. */
export async function readBootId(
  connections: Connections,
  spec: ConnectionSpec,
  become?: Become,
  timeout = ATTEMPT,
): Promise<string> {
  const result = await connections.run(spec, become, { script: BOOT_ID, timeout });
  return result.stdout.trim();
}

/**
 * Waits until the host runs scripts (again) and returns its boot id. Errors that waiting cannot mend, such as a
 * changed host key, are thrown at once; at the deadline UnreachableError says what stood in the way last.
 */
export async function waitForConnection(
  connections: Connections,
  spec: ConnectionSpec,
  become: Become | undefined,
  options: WaitOptions,
): Promise<string> {
  const deadline = Date.now() + options.timeout;
  const patient: ConnectionSpec = { ...spec, connectTimeout: Math.min(spec.connectTimeout ?? ATTEMPT, ATTEMPT) };
  let pause = PAUSE.first;
  let last: unknown = new Error('it has not been restarted yet');
  while (Date.now() < deadline) {
    options.signal?.throwIfAborted();
    try {
      const bootId = await readBootId(connections, patient, become);
      if (options.bootId === undefined || bootId !== options.bootId) {
        // Shells from before the restart are dead even where nothing has told us so yet.
        await Promise.all([connections.drop(spec), connections.drop(patient)]);
        return bootId;
      }
      last = new Error('it has not been restarted yet');
    } catch (error) {
      if (!isPassing(error)) throw error;
      last = error;
    }
    await connections.drop(patient);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, Math.max(0, deadline - Date.now()))));
    pause = Math.min(pause * PAUSE.factor, PAUSE.longest);
  }
  throw new UnreachableError(`${spec.host}: not back after ${Math.round(options.timeout / 1000)} s`, {
    cause: last,
    hint: (last as Error).message,
  });
}

/** While a host starts, its server may refuse users (pam_nologin) or run no commands yet. */
function isPassing(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ReeveError && error.code === 'login-failed');
}
