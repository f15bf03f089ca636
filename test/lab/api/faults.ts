import { ApiError } from './api-error.ts';
import type { Request } from './request.ts';

/** What goes wrong with a request: an answer of that code, a connection cut without one, or no answer ever. */
export type Fault = 'reset' | 'hang' | ApiError;

/** Looks at each authenticated request before it is served. May wait; may return or throw what goes wrong with it. */
export type RequestHook = (request: Request) => Fault | undefined | Promise<Fault | undefined>;

export interface FailOptions {
  /** How many of the requests that match; 1 unless told. */
  times?: number;
  match?: (request: Request) => boolean;
  /** Makes the clients of client-go wait and repeat by themselves. */
  retryAfterSeconds?: number;
}

interface Planned {
  fault: Fault;
  left: number;
  match: (request: Request) => boolean;
}

/** All that a test can break about the API while it stays reachable. */
export class Faults {
  /** Added before each answer, in real milliseconds. */
  latency = 0;
  onRequest: RequestHook | undefined;
  readonly #watches = new Set<() => void>();
  #planned: Planned[] = [];

  /** The next requests get this code (500, 503, 429, …), lose their connection or are never answered. */
  failNext(
    what: number | 'reset' | 'hang',
    { times = 1, match = () => true, retryAfterSeconds }: FailOptions = {},
  ): void {
    const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    const fault =
      typeof what === 'string'
        ? what
        : new ApiError(what, REASONS[what] ?? '', MESSAGES[what] ?? 'a fault of the lab', details);
    this.#planned.push({ fault, left: times, match });
  }

  /** Ends every open watch, as a restarting API server or an idle proxy does. */
  cutWatches(): void {
    for (const cut of this.#watches) cut();
  }

  /** Forgets all that was planned. */
  clear(): void {
    this.#planned = [];
    this.latency = 0;
    this.onRequest = undefined;
  }

  /** Remembers how to end a watch; the returned function forgets it again. */
  track(cut: () => void): () => void {
    this.#watches.add(cut);
    return () => this.#watches.delete(cut);
  }

  /** What happens to this request, if anything. */
  async strike(request: Request): Promise<Fault | undefined> {
    if (this.latency > 0) await new Promise((resolve) => setTimeout(resolve, this.latency));
    const fault = await this.onRequest?.(request);
    if (fault) return fault;
    const planned = this.#planned.find((one) => one.match(request));
    if (!planned) return undefined;
    if (--planned.left === 0) this.#planned.splice(this.#planned.indexOf(planned), 1);
    return planned.fault;
  }
}

const REASONS: Record<number, string> = {
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const MESSAGES: Record<number, string> = {
  409: 'the object has been modified; please apply your changes to the latest version and try again',
  429: 'Too many requests, please try again later.',
  500: 'Internal error occurred: etcdserver: leader changed',
  503: 'apiserver is shutting down',
  504: 'Timeout: request did not complete within the allotted timeout',
};
