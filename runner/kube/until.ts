import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterRequest, ClusterResponse, KubeObject, WatchOptions } from '../module.ts';
import { narrowed, type Patience, pauseFor, queryOf, type TaskScope, unlessAborted } from './attempt.ts';
import { judgeAnswer } from './failures.ts';
import { type Listed, listAll } from './list.ts';
import type { Ways } from './ways.ts';
import { stream } from './wire.ts';

/** The server ends a watch by itself; silence for this much of its time means that the connection is dead. */
const SILENCE = 1.3;

/** What `until` needs of its client. */
export interface UntilContext {
  ways: Ways;
  scope: TaskScope;
  patience: Patience;
  read(request: ClusterRequest, scope: TaskScope): Promise<ClusterResponse>;
}

/** See ClusterReader.until. An API server that is away for a while only delays it. */
export async function watchUntil<T>(
  context: UntilContext,
  options: WatchOptions,
  inspect: (objects: KubeObject[]) => T | undefined,
  timeout: number,
): Promise<T> {
  const started = performance.now();
  const remaining = () => Math.min(timeout - (performance.now() - started), context.scope.remaining());
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), Math.max(0, remaining()));
  const signals = [context.scope.signal, late.signal, ...(options.signal ? [options.signal] : [])];
  const scope = narrowed(context.scope, AbortSignal.any(signals), remaining);
  try {
    return await new Waiting(context, scope, options, inspect).result();
  } catch (error) {
    context.scope.signal.throwIfAborted();
    options.signal?.throwIfAborted();
    const away = error instanceof ReeveError && error.code === 'cluster-unreachable';
    if (!late.signal.aborted && !away) throw error;
    throw deadline(options, performance.now() - started, away ? error : context.ways.failure);
  } finally {
    clearTimeout(timer);
  }
}

function deadline(options: WatchOptions, waited: number, away: ReeveError | undefined): ReeveError {
  const seconds = Number((waited / 1000).toFixed(1));
  const what = options.what ?? `what was wanted of ${options.path}`;
  return new ReeveError('deadline', `Waited ${seconds} s for ${what}, in vain${away ? `: ${away.message}` : ''}`, {
    exitCode: EXIT.taskFailed,
    hint: away?.hint,
    cause: away,
  });
}

type WatchEnd = 'ended' | 'lost';

class Waiting<T> {
  readonly #context: UntilContext;
  readonly #scope: TaskScope;
  readonly #options: WatchOptions;
  readonly #inspect: (objects: KubeObject[]) => T | undefined;
  #objects = new Map<string, KubeObject>();
  #version = '';

  constructor(
    context: UntilContext,
    scope: TaskScope,
    options: WatchOptions,
    inspect: (objects: KubeObject[]) => T | undefined,
  ) {
    this.#context = context;
    this.#scope = scope;
    this.#options = options;
    this.#inspect = inspect;
  }

  async result(): Promise<T> {
    const { patience } = this.#context;
    let pause = patience.pause;
    for (;;) {
      this.#take(await this.#list());
      const found = this.#inspect([...this.#objects.values()]);
      if (found !== undefined) return found;
      for (let end: WatchEnd = 'ended'; end === 'ended'; ) {
        const began = performance.now();
        const watched = await this.#watch();
        if (watched.found !== undefined) return watched.found;
        end = watched.end;
        // A server that ends every watch at once must not be asked in a tight loop.
        pause =
          performance.now() - began > patience.pauseLimit ? patience.pause : Math.min(pause * 2, patience.pauseLimit);
        await pauseFor(pause, this.#scope.signal);
      }
    }
  }

  /** A resource that is not there (yet) is waited for: its definition may still be loading after a restart. */
  async #list(): Promise<Listed> {
    const { path, query } = this.#options;
    for (;;) {
      try {
        return await listAll((request) => this.#context.read(request, this.#scope), path, query);
      } catch (error) {
        if (!(error instanceof ReeveError && error.code === 'cluster-not-found')) throw error;
        await pauseFor(this.#context.patience.pauseLimit, this.#scope.signal);
      }
    }
  }

  #take({ items, resourceVersion }: Listed): void {
    this.#objects = new Map(items.map((item) => [keyOf(item), item]));
    this.#version = resourceVersion;
  }

  /** One watch, from the version last seen. `lost` means that only a new list tells the truth. */
  async #watch(): Promise<{ found?: T; end: WatchEnd }> {
    const { ways, patience } = this.#context;
    const way = ways.current;
    const done = new AbortController();
    const query = {
      ...this.#options.query,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: this.#version,
      timeoutSeconds: Math.max(1, Math.round(patience.watch / 1000)),
    };
    let found: T | undefined;
    let lost = false;
    try {
      const endpoint = await unlessAborted(way.open(), this.#scope.signal);
      const request = { method: 'GET', path: this.#options.path } as const;
      const refusal = await stream(
        endpoint,
        {
          ...request,
          path: request.path + queryOf(query),
          timeout: patience.watch * SILENCE,
          signal: AbortSignal.any([this.#scope.signal, done.signal]),
        },
        (events) => {
          if (found !== undefined || lost) return;
          lost = !events.every((event) => this.#apply(event));
          if (!lost) found = this.#inspect([...this.#objects.values()]);
          if (lost || found !== undefined) done.abort();
        },
      );
      if (refusal) {
        const verdict = judgeAnswer(refusal, request, endpoint);
        if (verdict.kind === 'definite') throw verdict.error;
        lost = true;
      }
    } catch (error) {
      this.#scope.signal.throwIfAborted();
      if (error instanceof ReeveError && error.code !== 'unreachable') throw error;
      // Whatever it was, the list that follows meets it again and judges it.
      lost = true;
    }
    return found === undefined ? { end: lost ? 'lost' : 'ended' } : { found, end: 'ended' };
  }

  /** False when the event says that the watch is over (410 and other errors). */
  #apply(event: KubeObject): boolean {
    const { type, object } = event;
    if (type === 'ERROR' || !object?.metadata) return false;
    this.#version = object.metadata.resourceVersion ?? this.#version;
    if (type === 'DELETED') this.#objects.delete(keyOf(object));
    else if (type !== 'BOOKMARK') this.#objects.set(keyOf(object), object);
    return true;
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name}`;
}
