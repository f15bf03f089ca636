import { setTimeout as pause } from 'node:timers/promises';
import type { ApiAvailable, ApiUnavailable, ApiWatched } from '../events.ts';
import { askReady } from './ready.ts';
import type { Way, Ways } from './ways.ts';

/** What a watch tells: that it began, and from then on only when an API server begins or ceases to answer. */
export type Availability = ApiWatched | ApiUnavailable | ApiAvailable;

/** milliseconds from one question to the next: how exactly a gap is measured at each of its ends. */
const INTERVAL = 1_000;

/**
 * Asks every way to a cluster once a second whether an API server answers there, for as long as it is not stopped. It
 * opens no connection of its own to a host that the run has not been on, fails nothing and keeps no process alive.
 *
 * @returns what ends it; nothing is told after that.
 */
export function watchAvailability(
  ways: Ways,
  tell: (told: Availability) => void,
  interval = INTERVAL,
): () => Promise<void> {
  const stopped = new AbortController();
  const cluster = ways.all
    .map((way) => way.name)
    .sort()
    .join(', ');
  const watches = ways.all.map((way) => {
    const watch = new WayWatch(way, { cluster, interval, tell });
    return watch.run(stopped.signal);
  });
  return async () => {
    stopped.abort();
    await Promise.all(watches);
  };
}

interface WatchOptions {
  cluster: string;
  interval: number;
  tell: (told: Availability) => void;
}

class WayWatch {
  readonly #way: Way;
  readonly #options: WatchOptions;
  #who: Pick<ApiWatched, 'cluster' | 'server' | 'via'> | undefined;
  /** Set while it does not answer: since when, by the wall's clock and by one that does not jump. */
  #away: { from: string; since: number } | undefined;

  constructor(way: Way, options: WatchOptions) {
    this.#way = way;
    this.#options = options;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const begun = performance.now();
      // Rejects only when it is stopped.
      await this.#ask(stop).catch(() => {});
      const left = Math.max(0, this.#options.interval - (performance.now() - begun));
      await pause(left, undefined, { ref: false, signal: stop }).catch(() => {});
    }
  }

  async #ask(stop: AbortSignal): Promise<void> {
    if (!this.#way.mayOpen) return;
    const from = new Date().toISOString();
    const since = performance.now();
    const answer = await askReady(this.#way, stop);
    const { endpoint } = this.#way;
    if (stop.aborted || !endpoint) return;
    if (!this.#who) {
      const { cluster, interval } = this.#options;
      this.#who = { cluster, server: endpoint.server, via: this.#way.name };
      this.#options.tell({ type: 'api-watched', ...this.#who, interval });
    }
    if (!answer.answers && !this.#away) {
      this.#away = { from, since };
      this.#options.tell({ type: 'api-unavailable', ...this.#who, from, detail: answer.detail });
    } else if (answer.answers && this.#away) {
      const gone = this.#away;
      this.#away = undefined;
      const duration = Math.round(since - gone.since);
      this.#options.tell({ type: 'api-available', ...this.#who, from: gone.from, until: from, duration });
    }
  }
}
