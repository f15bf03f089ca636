import type { ReeveError } from '../errors.ts';
import { accessName, type ClusterAccess } from './access.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';

/** One way to the cluster, opened when first used and again after its credentials were refused. */
export class Way {
  readonly name: string;
  readonly #access: ClusterAccess;
  #opening: Promise<Endpoint> | undefined;
  /** Set once it is open; for messages. */
  endpoint: Endpoint | undefined;

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.name = accessName(access);
  }

  /** Whether it may be opened without need: not when that would be the first connection to a host, which can ask a person. */
  get mayOpen(): boolean {
    return this.endpoint !== undefined || this.#access.kind === 'kubeconfig' || this.#access.connected?.() === true;
  }

  async open(): Promise<Endpoint> {
    this.#opening ??= openEndpoint(this.#access);
    try {
      this.endpoint = await this.#opening;
      return this.endpoint;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** Reads address and credentials again on the next use: a kubeconfig may have been renewed meanwhile. */
  forget(): void {
    this.#opening = undefined;
  }

  close(): void {
    this.endpoint?.close();
    this.#opening = undefined;
  }
}

/** The ways in the order of preference; all tasks share the one that answered last. */
export class Ways {
  readonly all: readonly Way[];
  #current = 0;
  /** True once the API server has answered on any way. */
  answered = false;
  /** Why there is no answer at present; undefined while there is. For messages at a deadline that cuts off a question. */
  failure: ReeveError | undefined;

  constructor(accesses: readonly ClusterAccess[]) {
    this.all = accesses.map((access) => new Way(access));
  }

  get current(): Way {
    return this.all[this.#current]!;
  }

  /** Goes on to the next way, unless another task already did. */
  leave(way: Way): void {
    if (way === this.current) this.#current = (this.#current + 1) % this.all.length;
  }

  named(name: string): Way | undefined {
    return this.all.find((way) => way.name === name);
  }

  close(): void {
    for (const way of this.all) way.close();
  }
}
