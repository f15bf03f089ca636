import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { ReeveError, UnreachableError } from '../../errors.ts';
import { CONNECT_TIMEOUT } from '../open-shell.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec } from '../types.ts';
import { type Authentication, authentication } from './auth.ts';
import type { SshEndpoint } from './config.ts';
import { hostKeyPolicy } from './host-key.ts';
import { Turnstile } from './turnstile.ts';

/** Stock sshd begins to drop unauthenticated connections at ten (MaxStartups 10:30:100). */
const attempts = new Turnstile(8);
/** milliseconds before the first and between later attempts at a server that drops connections. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 1_500;
const KEEP_ALIVE = 15_000;

/** What a dialled connection runs over when it goes through a jump host. */
export type Underlay = (address: string, port: number) => Promise<Duplex>;

/**
 * Connects and logs in. A server that drops connections while it is busy is tried again until the deadline.
 * Throws UnreachableError, ReeveError `host-key-*`, `login-failed`, `key-unreadable`.
 */
export async function dial(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
  underlay: Underlay | undefined,
): Promise<Client> {
  const deadline = new Deadline(endpoint.connectTimeout ?? CONNECT_TIMEOUT);
  let delay = FIRST_DELAY;
  for (;;) {
    const login = await authentication(spec, endpoint, patient(options, deadline));
    try {
      return await attempts.pass(`${endpoint.address}:${endpoint.port}`, () =>
        dialOnce(spec, endpoint, options, underlay, login, deadline),
      );
    } catch (error) {
      if (login.stopped) throw login.stopped;
      if (error instanceof ReeveError) throw error;
      if (!dropped(error) || deadline.left() <= delay) throw explain(spec, endpoint, error, login.tried);
      const jitter = delay * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, jitter));
      delay = Math.min(delay * 2, LONGEST_DELAY);
    }
  }
}

/** A person may take their time over a passphrase, too. */
function patient(options: ConnectionsOptions, deadline: Deadline): ConnectionsOptions {
  const { askPassphrase } = options;
  return askPassphrase ? { ...options, askPassphrase: (file) => deadline.paused(() => askPassphrase(file)) } : options;
}

async function dialOnce(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
  underlay: Underlay | undefined,
  login: Authentication,
  deadline: Deadline,
): Promise<Client> {
  const sock = (await underlay?.(endpoint.address, endpoint.port)) ?? reach(endpoint);
  sock.on('error', () => {});
  try {
    return await logIn(sock, spec, endpoint, options, login, deadline);
  } catch (error) {
    sock.destroy();
    throw error;
  }
}

/**
 * Begins to connect. With Nagle's algorithm against delayed acknowledgements each task, and every step of a login, would
 * wait about 45 ms.
 */
function reach({ address, port }: SshEndpoint): Socket {
  return connect({ host: address, port, noDelay: true }).setMaxListeners(0);
}

async function logIn(
  sock: Duplex,
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
  login: Authentication,
  deadline: Deadline,
): Promise<Client> {
  const policy = await hostKeyPolicy(spec, endpoint, options);
  // Takes 35 ms of CPU: the servers start their processes meanwhile.
  const { NodeSSH } = await import('node-ssh');
  if (sock.destroyed) throw sock.errored ?? Object.assign(new Error('Connection closed'), { code: 'ECONNRESET' });
  const ssh = new NodeSSH();
  let refused: unknown;
  const connecting = ssh.connect({
    sock: sock as never,
    username: endpoint.user,
    // A person may take their time over a host key: the deadline here stands still meanwhile, ssh2's would not.
    readyTimeout: 0,
    keepaliveInterval: options.keepAlive ?? KEEP_ALIVE,
    keepaliveCountMax: 3,
    authHandler: login.handler,
    algorithms: { serverHostKey: policy.algorithms },
    hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
      deadline
        .paused(() => policy.check(key))
        .then(
          () => verify(true),
          (error) => {
            refused = error;
            verify(false);
          },
        );
    },
  });
  // node-ssh sets `connection` before it waits; it goes back to null when the connection ends.
  const client = ssh.connection!;
  client.on('error', () => {});
  try {
    await Promise.race([connecting, deadline.reached()]);
  } catch (error) {
    client.destroy();
    connecting.catch(() => {});
    throw refused ?? error;
  } finally {
    deadline.settle();
  }
  // Every channel that was ever opened on it listens for its end; more than ten are no leak.
  client.setMaxListeners(0);
  return client;
}

/** A clock for connecting that can stand still. */
class Deadline {
  #left: number;
  #since: number | undefined = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #strike: (() => void) | undefined;

  constructor(milliseconds: number) {
    this.#left = milliseconds;
  }

  left(): number {
    return this.#left - (this.#since === undefined ? 0 : Date.now() - this.#since);
  }

  /** Rejects when time is up. */
  reached(): Promise<never> {
    return new Promise((_, reject) => {
      this.#strike = () => reject(Object.assign(new Error('no answer in time'), { code: 'DEADLINE' }));
      this.#start();
    });
  }

  settle(): void {
    clearTimeout(this.#timer);
    this.#strike = undefined;
  }

  async paused<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#left = this.left();
    this.#since = undefined;
    try {
      return await work();
    } finally {
      this.#since = Date.now();
      this.#start();
    }
  }

  #start(): void {
    clearTimeout(this.#timer);
    const strike = this.#strike;
    if (strike) this.#timer = setTimeout(strike, Math.max(0, this.left()));
  }
}

/** The server took the TCP connection and closed it before anything was agreed: it is busy, or just starting. */
function dropped(error: unknown): boolean {
  const { code, message = '', level } = error as { code?: string; message?: string; level?: string };
  if (level === 'client-authentication') return false;
  return (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    /lost before handshake|No response from server|closed by remote|Connection closed/i.test(message)
  );
}

function explain(spec: ConnectionSpec, endpoint: SshEndpoint, error: unknown, tried: string[]): ReeveError {
  const { code, message = String(error), level } = error as { code?: string; message?: string; level?: string };
  const where = `${endpoint.address}:${endpoint.port}`;
  if (level === 'client-authentication' || /authentication methods failed/i.test(message)) {
    return new ReeveError('login-failed', `${spec.host}: ${where} does not let ${endpoint.user} in`, {
      cause: error,
      hint: tried.length
        ? `Tried: ${tried.join('; ')}.`
        : 'There was nothing to log in with: no key file, no agent, no password.',
      exitCode: 3,
    });
  }
  const words: Record<string, string> = {
    ECONNREFUSED: 'refuses the connection: no SSH server listens there',
    ETIMEDOUT: 'does not answer',
    DEADLINE: 'does not answer in time',
    EHOSTUNREACH: 'cannot be reached: no route to the host',
    ENETUNREACH: 'cannot be reached: no route to its network',
    ENOTFOUND: 'cannot be found: the name does not resolve',
    EAI_AGAIN: 'cannot be found: the name server does not answer',
  };
  return new UnreachableError(`${spec.host}: ${where} ${words[code ?? ''] ?? `cannot be reached: ${message}`}`, {
    cause: error,
    hint: endpoint.proxyCommand
      ? 'Its ssh_config has a ProxyCommand, which only the system ssh can use: transport: openssh.'
      : 'Check address, port and network; `ssh -v` to the same address tells more.',
  });
}
