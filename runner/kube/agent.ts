import { Agent } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** How long a TCP connection and the TLS handshake may take. */
const CONNECT_TIMEOUT = 10_000;
/** Gives a TCP stream to the API server. */
export type Dial = () => Promise<Duplex>;

export interface ApiAgentOptions {
  /** Name that the certificate must be for. */
  hostname: string;
  tls: ConnectionOptions;
  dial: Dial;
  /** Keep connections for later requests. */
  keepAlive: boolean;
}

/**
 * Makes connections to one API server. A socket is handed to a request only after the TLS handshake, so that a request
 * which never got a socket is known not to have been sent.
 */
export class ApiAgent extends Agent {
  readonly #options: ApiAgentOptions;

  constructor(options: ApiAgentOptions) {
    super({ keepAlive: options.keepAlive, scheduling: 'lifo' });
    this.#options = options;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    openTls(this.#options).then(
      (socket) => callback?.(null, socket),
      // The type wants a stream beside the error; node ignores it.
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
  }
}

async function openTls({ dial, hostname, tls }: ApiAgentOptions): Promise<TLSSocket> {
  let raw: Duplex | undefined;
  let secured: TLSSocket | undefined;
  const timer = setTimeout(() => {
    const error = Object.assign(new Error('no connection in 10 s'), { code: 'ETIMEDOUT' });
    (secured ?? raw)?.destroy(error);
    late = error;
  }, CONNECT_TIMEOUT);
  let late: Error | undefined;
  try {
    raw = await dial();
    if (late) {
      raw.destroy();
      throw late;
    }
    const socket = raw;
    return await new Promise<TLSSocket>((accept, reject) => {
      // An address is no server name (RFC 6066); node then verifies the certificate for `host`.
      const name = tls.servername ?? (isIP(hostname) ? '' : hostname);
      secured = connectTls({ ...tls, socket: socket as Socket, host: hostname, servername: name });
      // A handshake that fails over a foreign stream leaves that stream open.
      const fail = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      secured.once('error', fail);
      secured.once('close', () => fail(Object.assign(new Error('closed in the handshake'), { code: 'ECONNRESET' })));
      secured.once('secureConnect', () => {
        secured!.off('error', fail);
        accept(secured!);
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

/** A dial straight from the control machine. */
export function dialDirect(host: string, port: number): Dial {
  return () =>
    new Promise((accept, reject) => {
      const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
      const timer = setTimeout(
        () => socket.destroy(Object.assign(new Error('no connection in 10 s'), { code: 'ETIMEDOUT' })),
        CONNECT_TIMEOUT,
      );
      socket.once('error', reject);
      socket.once('close', () => clearTimeout(timer));
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', reject);
        accept(socket);
      });
    });
}
