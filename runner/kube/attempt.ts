import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterRequest } from '../module.ts';
import type { Endpoint } from './endpoint.ts';
import { judgeAnswer, judgeError, placeOf, unauthorized, type Verdict } from './failures.ts';
import type { Way, Ways } from './ways.ts';
import { exchange, type WireAnswer } from './wire.ts';

/** Who asks: bounds and messages of one task. */
export interface TaskScope {
  signal: AbortSignal;
  /** milliseconds left before the task's deadline. */
  remaining(): number;
  progress?(message: string): void;
}

/** Times in milliseconds; tests make them short. */
export interface Patience {
  /** First pause between tries; doubles up to `pauseLimit`. */
  pause: number;
  pauseLimit: number;
  /** How long refused credentials are tried again: a k3s server answers 401 for a moment while it starts. */
  unauthorized: number;
  /** How long a name that never resolved is tried again. */
  dns: number;
  /** A word of progress after this long without an answer. */
  silence: number;
  /** How long a cleanup that says no time of its own may take in all. */
  cleanup: number;
  /** How long one watch may last; silence beyond it means that it is dead. */
  watch: number;
}
export const PATIENCE: Patience = {
  pause: 250,
  pauseLimit: 2_000,
  unauthorized: 10_000,
  dns: 10_000,
  silence: 5_000,
  cleanup: 30_000,
  watch: 45_000,
};

const DEFAULT_TIMEOUT = 30_000;

/**
 * One request, on one way after another, until there is an answer: passing errors are tried again until the deadline
 * where that can do no harm (see ClusterWriter.write).
 * @throws ReeveError `cluster-unreachable` at the deadline, `cluster-write-lost`, `cluster-forbidden`,
 * `cluster-unauthorized`, `cluster-tls`, and what opening a way throws when every way fails for good.
 */
export async function attempt(
  ways: Ways,
  request: ClusterRequest,
  scope: TaskScope,
  patience: Patience,
): Promise<WireAnswer> {
  const bounds = boundsOf(request, scope, patience);
  const tries = new Tries(ways, request, bounds, patience);
  for (;;) {
    const way = ways.current;
    const { answer, verdict } = await tryOnce(way, request, bounds);
    if (verdict.kind === 'answer') {
      ways.answered = true;
      ways.failure = undefined;
      return answer!;
    }
    // A write that may have had its effect is not repeated; the caller gets the answer if there was one.
    if (verdict.kind === 'passing' && verdict.maybeApplied && !isRepeatable(request)) {
      if (answer !== undefined) return answer;
      throw lost(request, way.endpoint, verdict.why);
    }
    await tries.next(way, verdict);
  }
}

async function tryOnce(
  way: Way,
  request: ClusterRequest,
  scope: TaskScope,
): Promise<{ answer?: WireAnswer; verdict: Verdict }> {
  let endpoint: Endpoint | undefined;
  try {
    endpoint = await unlessAborted(way.open(), scope.signal);
    const answer = await exchange(endpoint, {
      method: request.method,
      path: request.path + queryOf(request.query),
      body: request.body,
      contentType:
        request.contentType ?? (request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'),
      timeout: Math.max(1, Math.min(request.timeout ?? DEFAULT_TIMEOUT, scope.remaining())),
      fresh: !isRepeatable(request),
      signal: scope.signal,
    });
    return { answer, verdict: judgeAnswer(answer, request, endpoint) };
  } catch (error) {
    scope.signal.throwIfAborted();
    return { verdict: judgeError(error, endpoint) };
  }
}

function isRepeatable(request: ClusterRequest): boolean {
  return request.method === 'GET' || request.query?.dryRun === 'All' || request.idempotent === true;
}

/** Counts the tries of one request and waits between them. */
class Tries {
  readonly #definite = new Map<Way, ReeveError>();
  readonly #ways: Ways;
  readonly #request: ClusterRequest;
  readonly #scope: TaskScope;
  readonly #patience: Patience;
  readonly #since = performance.now();
  #unauthorizedSince: number | undefined;
  #tried = 0;
  #told = false;

  constructor(ways: Ways, request: ClusterRequest, scope: TaskScope, patience: Patience) {
    this.#ways = ways;
    this.#request = request;
    this.#scope = scope;
    this.#patience = patience;
  }

  /** Chooses the next way and waits before it is tried; throws when there is no use. */
  async next(way: Way, verdict: Exclude<Verdict, { kind: 'answer' }>): Promise<void> {
    this.#tried += 1;
    this.#ways.leave(way);
    if (verdict.kind === 'definite') {
      this.#definite.set(way, verdict.error);
      way.forget();
      // The first way's error is the one to mend, the others being its substitutes.
      if (this.#definite.size === this.#ways.all.length) throw this.#definite.get(this.#ways.all[0]!)!;
      return;
    }
    this.#definite.delete(way);
    if (verdict.unauthorized) this.#refused(way, verdict.why);
    const waited = performance.now() - this.#since;
    if (verdict.dns && !this.#ways.answered && waited > this.#patience.dns) throw this.#unreachable(way, verdict.why);
    const count = this.#ways.all.length;
    const round = Math.floor((this.#tried - 1) / count);
    const pause =
      verdict.retryAfter ?? Math.min(this.#patience.pause * 2 ** Math.min(round, 10), this.#patience.pauseLimit);
    this.#ways.failure = this.#unreachable(way, verdict.why);
    if (this.#scope.remaining() <= pause) throw this.#ways.failure;
    if (!this.#told && waited > this.#patience.silence) {
      this.#told = true;
      this.#scope.progress?.(`${placeOf(way.endpoint)} does not answer (${verdict.why}); trying again`);
    }
    // Other ways are tried at once; only after a whole round there is a pause.
    if (this.#tried % count === 0 || verdict.retryAfter) await pauseFor(pause, this.#scope.signal);
  }

  #refused(way: Way, why: string): void {
    const { endpoint } = way;
    way.forget();
    this.#unauthorizedSince ??= performance.now();
    if (endpoint && performance.now() - this.#unauthorizedSince > this.#patience.unauthorized) {
      throw unauthorized(endpoint, why);
    }
  }

  #unreachable(way: Way, why: string): ReeveError {
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    const tried = this.#ways.all.map((item) => item.name).join(', ');
    const ways = this.#ways.all.length > 1 ? `; ways tried: ${tried}` : '';
    const what = `${this.#request.method} ${this.#request.path}`;
    return new ReeveError('cluster-unreachable', `No answer to ${what} from ${placeOf(way.endpoint)}: ${why}`, {
      exitCode: EXIT.unreachable,
      hint: `Tried for ${seconds} s${ways}. Is k3s running there, and may this machine reach it?`,
    });
  }
}

function lost(request: ClusterRequest, endpoint: Endpoint | undefined, why: string): ReeveError {
  const what = `${request.method} ${request.path}`;
  return new ReeveError('cluster-write-lost', `${what} was sent to ${placeOf(endpoint)}, but no answer came: ${why}`, {
    exitCode: EXIT.unreachable,
    hint: 'Whether it took effect is not known: look before you repeat it.',
  });
}

/** The same task with tighter bounds; its members may be getters of a class, so it is not spread. */
export function narrowed(scope: TaskScope, signal: AbortSignal, remaining: () => number): TaskScope {
  return { signal, remaining, progress: (message) => scope.progress?.(message) };
}

function boundsOf(request: ClusterRequest, scope: TaskScope, patience: Patience): TaskScope {
  if (request.cleanup) {
    const timeout = request.timeout ?? patience.cleanup;
    const end = performance.now() + timeout;
    // The time itself is kept by `remaining`, which ends in an error that says why; the signal is for what hangs.
    return { signal: AbortSignal.timeout(timeout + 1_000), remaining: () => end - performance.now() };
  }
  if (!request.signal) return scope;
  return narrowed(scope, AbortSignal.any([scope.signal, request.signal]), () => scope.remaining());
}

export function queryOf(query: ClusterRequest['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search}`;
}

/** What `promise` gives, or the signal's reason if that comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Whichever lost must not be reported as unhandled.
    promise.catch(() => undefined);
    aborted.promise.catch(() => undefined);
  }
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((accept, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      accept();
    }, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
