import type { Cluster } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';

export interface ServerOptions {
  name: string;
  /** The first server's address unless told. */
  host?: string;
  /** Any free one unless told. */
  port?: number;
  /** The first server's version unless told. */
  version?: string;
}

/** Makes a server that does not listen yet. */
export type CreateServer = (options: Placed) => Endpoint;

/** Where a server listens is settled; its version may still be the cluster's. */
export type Placed = ServerOptions & { host: string; port: number };

/** The API servers of one cluster; it stands still while none of them is there. */
export class Servers {
  readonly #cluster: Cluster;
  readonly #create: CreateServer;
  readonly #all: Endpoint[] = [];

  constructor(cluster: Cluster, create: CreateServer) {
    this.#cluster = cluster;
    this.#create = create;
  }

  /** Starts one more. @throws Error when its port is taken */
  async add(options: Placed): Promise<Endpoint> {
    const server = this.#create(options);
    await server.start();
    this.#all.push(server);
    return server;
  }

  async goAway(name?: string): Promise<void> {
    await this.#named(name).stop();
    if (!this.#all.some(({ up }) => up)) this.#cluster.pause();
  }

  async comeBack({ version, name }: { version?: string; name?: string } = {}): Promise<void> {
    const server = this.#named(name);
    if (version !== undefined) server.version = version;
    if (this.#cluster.clock.paused) this.#cluster.resume();
    await server.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()));
  }

  #named(name: string | undefined): Endpoint {
    const found = name === undefined ? this.#all[0] : this.#all.find((server) => server.name === name);
    if (!found) throw new TypeError(`the lab's API has no server "${name}"`);
    return found;
  }
}
