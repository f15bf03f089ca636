import type { ApiWatched, RunEvent } from '../events.ts';

/** A time in which an API server did not answer. */
export interface ApiGap {
  from: string;
  /** Undefined while it lasts; of a watch that ended meanwhile, the end of the watch. */
  until?: string;
  /** milliseconds, as the run measured them; undefined when the gap had not ended while somebody looked. */
  duration?: number;
  detail: string;
}

/** One API server that a run asked again and again, from when to when, and the gaps in its answers. */
export interface ApiWatch extends Pick<ApiWatched, 'cluster' | 'server' | 'via' | 'interval'> {
  since: string;
  /** Undefined while it goes on. */
  until?: string;
  gaps: ApiGap[];
}

/** Puts together what the events say of API servers. */
export class ApiWatches {
  readonly all: ApiWatch[] = [];

  /** @param before time of the event before: a run that died looked until then. */
  take(event: RunEvent, before: string): void {
    if (event.type === 'run-resumed') this.#end(before);
    else if (event.type === 'run-ended') this.#end(event.at);
    else if (event.type === 'api-watched') {
      const { cluster, server, via, interval, at } = event;
      // A rollback that died has no end; the one after it watches anew.
      this.#end(before, event);
      this.all.push({ cluster, server, via, interval, since: at, gaps: [] });
    } else if (event.type === 'api-unavailable') {
      this.#of(event)?.gaps.push({ from: event.from, detail: event.detail });
    } else if (event.type === 'api-available') {
      const gap = this.#of(event)?.gaps.at(-1);
      if (gap) Object.assign(gap, { until: event.until, duration: event.duration });
    }
  }

  #of(asked: Asked): ApiWatch | undefined {
    return this.all.findLast((watch) => isSame(watch, asked));
  }

  /** Ends the watches that still go on: all, or those of one server. */
  #end(at: string, asked?: Asked): void {
    for (const watch of this.all) {
      if (watch.until !== undefined || (asked && !isSame(watch, asked))) continue;
      watch.until = at;
      const gap = watch.gaps.at(-1);
      if (gap) gap.until ??= at;
    }
  }
}

type Asked = Pick<ApiWatched, 'cluster' | 'server' | 'via'>;

function isSame(one: Asked, other: Asked): boolean {
  return one.cluster === other.cluster && one.server === other.server && one.via === other.via;
}
