import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { UnreachableError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import { jumpSpec, resolveEndpoint, type SshEndpoint } from '../ssh/config.ts';
import { dial, type Underlay } from '../ssh/dial.ts';
import type { ByteStream, ConnectionSpec, Transport } from '../types.ts';

/** Shells on one connection; stock sshd allows ten (MaxSessions), and two are left for others' use of it. */
const MOST_CHANNELS = 8;

/** milliseconds for the channel to close once the shell has ended. */
const LAST_OUTPUT = 250;

interface Link {
  client: Promise<Client>;
  /** Shells that run on it or are being opened. */
  channels: number;
  /** Lowered when the server refuses one more. */
  most: number;
  dead: boolean;
  /** Why it ended, once known. */
  reason?: string;
}

/** SSH to one server, over as many connections as its shells need. Nothing is dialled before the first use. */
export function sshTransport(spec: ConnectionSpec, options: ConnectionsOptions): Transport {
  return new SshTransport(spec, options);
}

class SshTransport implements Transport {
  readonly #spec: ConnectionSpec;
  readonly #options: ConnectionsOptions;
  readonly #endpoint: SshEndpoint;
  readonly #jump: SshTransport | undefined;
  #links: Link[] = [];
  alive = true;

  constructor(spec: ConnectionSpec, options: ConnectionsOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#endpoint = resolveEndpoint(spec, options);
    const hop = this.#endpoint.jumps.at(-1);
    if (hop !== undefined) {
      // The nearer hops belong to the jump host's own way there; without any, its own ssh_config entry decides.
      const before = this.#endpoint.jumps.slice(0, -1).join(',');
      this.#jump = new SshTransport({ ...jumpSpec(hop, spec), ...(before ? { proxyJump: before } : {}) }, options);
    }
  }

  async open(command: string): Promise<ByteStream> {
    for (;;) {
      const { link, fresh } = this.#reserve();
      try {
        const client = await link.client;
        const channel = await execute(client, command);
        return streamOf(channel, client, link);
      } catch (error) {
        link.channels--;
        if (isFull(error) && link.channels > 0) {
          link.most = link.channels;
          continue;
        }
        // An older connection that turns out to be gone is no reason to give up.
        if (link.dead && !fresh && this.alive) continue;
        if (isFull(error)) throw refusedSession(this.#spec, error);
        throw error instanceof Error && 'exitCode' in error ? error : lost(this.#spec, link, error);
      }
    }
  }

  async forward(host: string, port: number): Promise<Duplex> {
    const link = this.#links.find((one) => !one.dead) ?? this.#connect();
    const client = await link.client;
    return new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error) reject(noForward(this.#spec, host, port, error));
        else resolve(channel);
      });
    });
  }

  async close(): Promise<void> {
    this.alive = false;
    const links = this.#links;
    this.#links = [];
    for (const link of links) {
      link.dead = true;
      link.client.then((client) => client.end()).catch(() => {});
    }
    await this.#jump?.close();
  }

  #reserve(): { link: Link; fresh: boolean } {
    const free = this.#links.find((one) => !one.dead && one.channels < one.most);
    const link = free ?? this.#connect();
    link.channels++;
    return { link, fresh: free === undefined };
  }

  #connect(): Link {
    const jump = this.#jump;
    const underlay: Underlay | undefined = jump && ((address, port) => jump.forward(address, port));
    const link: Link = {
      client: dial(this.#spec, this.#endpoint, this.#options, underlay),
      channels: 0,
      most: MOST_CHANNELS,
      dead: false,
    };
    const end = () => {
      link.dead = true;
      this.#links = this.#links.filter((one) => one !== link);
    };
    link.client.then((client) => {
      client.once('close', end);
      client.on('error', (error) => {
        link.reason = error.message;
      });
    }, end);
    this.#links.push(link);
    return link;
  }
}

function execute(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    // A connection that is lost meanwhile answers nothing.
    const closed = () => reject(new Error('the connection was closed'));
    client.once('close', closed);
    const settle = (error: Error | undefined, channel?: ClientChannel) => {
      client.removeListener('close', closed);
      if (error) reject(error);
      else resolve(channel!);
    };
    try {
      client.exec(command, settle);
    } catch (error) {
      settle(error as Error);
    }
  });
}

function streamOf(channel: ClientChannel, client: Client, link: Link): ByteStream {
  const closed = new Promise<{ code?: number; signal?: string; message?: string }>((resolve) => {
    let end: { code?: number; signal?: string } = {};
    channel.on('exit', (code: number | null, signal?: string) => {
      end = code === null ? { signal: signal ?? 'unknown' } : { code };
      // The channel itself stays open as long as anything that the shell started holds its streams.
      setTimeout(() => resolve(end), LAST_OUTPUT).unref();
    });
    channel.once('close', () => resolve(end));
    client.once('close', () => resolve({ message: link.reason ?? 'the server closed the connection' }));
  });
  void closed.then(() => link.channels--);
  channel.on('error', () => {});
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    closed,
    destroy: () => {
      channel.destroy();
    },
  };
}

/** OpenSSH refuses sessions beyond MaxSessions this way. */
function isFull(error: unknown): boolean {
  return /channel open failure/i.test(String((error as Error).message));
}

function refusedSession(spec: ConnectionSpec, cause: unknown): UnreachableError {
  return new UnreachableError(`${spec.host}: the server lets the user in but runs no command`, {
    cause,
    hint: 'Does its sshd_config set MaxSessions 0 or ForceCommand for this user?',
  });
}

function lost(spec: ConnectionSpec, link: Link, cause: unknown): UnreachableError {
  return new UnreachableError(`${spec.host}: the connection was lost before a shell was open`, {
    cause,
    hint: link.reason ?? 'Try again; look at the log of the SSH server if it stays so.',
  });
}

/** ssh2 says little, and servers may add nothing to it. */
function refusalOf(cause: Error): string {
  return cause.message.replace(/^\(SSH\) Channel open failure:\s*/, '') || 'connection refused';
}

function noForward(spec: ConnectionSpec, host: string, port: number, cause: Error): UnreachableError {
  return new UnreachableError(`${spec.host}: no tunnel to ${host}:${port}: ${refusalOf(cause)}`, {
    cause,
    hint: 'Does something listen there, and does sshd_config allow it (AllowTcpForwarding)?',
  });
}
