import type { Duplex } from 'node:stream';
import { ReeveError } from '../errors.ts';
import { inTurns } from '../in-turns.ts';
import type { RunResult } from '../module.ts';
import { capabilitiesScript, readCapabilities } from './capabilities.ts';
import { openShell } from './open-shell.ts';
import type { ConnectionsOptions } from './options.ts';
import { ShellPool } from './pool.ts';
import { LostError } from './shell.ts';
import { createTransport } from './transports/index.ts';
import type { Become, Capabilities, ConnectionSpec, Connections, ShellRequest, Transport } from './types.ts';

export type { ConnectionsOptions } from './options.ts';

/** milliseconds for reeve's own short questions. */
const PROBE_TIMEOUT = 20_000;

/** Goodbyes that are said in one turn of the event loop: a thousand SSH connections at once held it for 0.7 s. */
const CLOSED_AT_ONCE = 20;

/**
 * All connections of a run; see `Connections`. Nothing is opened before the first request.
 */
export function createConnections(options: ConnectionsOptions = {}): Connections {
  return new ConnectionTable(options);
}

class ConnectionTable implements Connections {
  readonly #options: ConnectionsOptions;
  readonly #transports = new Map<string, Promise<Transport>>();
  readonly #pools = new Map<string, ShellPool>();
  readonly #capabilities = new Map<string, Promise<Capabilities>>();
  readonly roundTrips = new Map<string, number>();
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  async run(spec: ConnectionSpec, become: Become | undefined, request: ShellRequest): Promise<RunResult> {
    const pool = this.#pool(spec, become);
    const attempt = () => pool.with(request.signal, (shell) => shell.run(request));
    try {
      return await attempt();
    } catch (error) {
      // Lost while idle (a reboot, a firewall that forgets): the script has not run, so it may be sent once more.
      if (error instanceof LostError && !error.mayHaveRun) return attempt();
      throw error;
    }
  }

  async forward(spec: ConnectionSpec, host: string, port: number): Promise<Duplex> {
    const transport = await this.#transport(machineOf(spec));
    if (!transport.forward) {
      throw new ReeveError('no-tunnel', `${spec.host}: its connection cannot carry a tunnel`);
    }
    return transport.forward(host, port);
  }

  capabilities(spec: ConnectionSpec, become?: Become): Promise<Capabilities> {
    const key = keyOf(spec, become);
    let found = this.#capabilities.get(key);
    if (!found) {
      found = this.run(spec, become, { script: capabilitiesScript, timeout: PROBE_TIMEOUT }).then(readCapabilities);
      this.#capabilities.set(key, found);
      found.catch(() => this.#capabilities.delete(key));
    }
    return found;
  }

  async drop(spec: ConnectionSpec): Promise<void> {
    const prefix = keyOf(spec);
    const pools = [...this.#pools].filter(([key]) => key.startsWith(prefix));
    for (const [key] of pools) this.#pools.delete(key);
    for (const key of [...this.#capabilities.keys()].filter((one) => one.startsWith(prefix))) {
      this.#capabilities.delete(key);
    }
    // The node of a container serves its other containers too: only the container's own shells go.
    const transport = spec.transport === 'pct' ? undefined : this.#transports.get(prefix);
    if (transport) this.#transports.delete(prefix);
    await Promise.all(pools.map(([, pool]) => pool.close()));
    await transport?.then((one) => one.close()).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await inTurns(this.#pools.values(), CLOSED_AT_ONCE, (pool) => pool.close());
    await inTurns(this.#transports.values(), CLOSED_AT_ONCE, async (opening) => {
      const transport = await opening.catch(() => undefined);
      await transport?.close();
    });
    this.#pools.clear();
    this.#transports.clear();
  }

  #pool(spec: ConnectionSpec, become: Become | undefined): ShellPool {
    if (this.#closed) throw new ReeveError('closed', `${spec.host}: the connections of this run are closed already`);
    const key = keyOf(spec, become);
    let pool = this.#pools.get(key);
    if (!pool) {
      pool = new ShellPool(async (control) =>
        openShell(spec, become, await this.#transport(machineOf(spec)), {
          host: spec.host,
          ...(control ? { control } : {}),
          onRoundTrip: () => this.roundTrips.set(spec.host, (this.roundTrips.get(spec.host) ?? 0) + 1),
        }),
      );
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #transport(spec: ConnectionSpec): Promise<Transport> {
    const key = keyOf(spec);
    let transport = this.#transports.get(key);
    if (!transport) {
      transport = createTransport(spec, this.#options);
      this.#transports.set(key, transport);
      transport.catch(() => this.#transports.delete(key));
    }
    return transport;
  }
}

/** The machine that carries a connection: for a container its Proxmox node. */
function machineOf(spec: ConnectionSpec): ConnectionSpec {
  if (spec.transport !== 'pct') return spec;
  if (!spec.node) {
    throw new ReeveError('bad-connection', `${spec.host}: a pct connection needs the Proxmox node it goes through`, {
      hint: 'Set the variable `pct_node` to a host of the inventory.',
      exitCode: 4,
    });
  }
  return spec.node;
}

const keys = new WeakMap<ConnectionSpec, string>();

/** Two specs with the same content share a connection. The become part follows the host's, so that it is a prefix. */
function keyOf(spec: ConnectionSpec, become?: Become): string {
  let key = keys.get(spec);
  if (key === undefined) {
    key = `${canonical(spec)}\n`;
    keys.set(spec, key);
  }
  return become ? `${key}${canonical(become)}` : key;
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
}
