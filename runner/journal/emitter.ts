import { EVENT_VERSION, type EventBody, type EventSink, type RunEvent } from '../events.ts';
import type { Masker } from './masker.ts';

/** Numbers, dates and masks the events of one run and hands them to every sink in order. */
export class Emitter {
  readonly run: string;
  readonly #sinks: EventSink[];
  readonly #masker: Masker;
  readonly #now: () => Date;
  #seq = 0;
  #last = 0;

  constructor(run: string, sinks: EventSink[], masker: Masker, now: () => Date = () => new Date()) {
    this.run = run;
    this.#sinks = sinks;
    this.#masker = masker;
    this.#now = now;
  }

  emit(body: EventBody): RunEvent {
    // A clock that jumps back must not make the record run backwards.
    this.#last = Math.max(this.#last, this.#now().getTime());
    const event: RunEvent = {
      v: EVENT_VERSION,
      seq: ++this.#seq,
      at: new Date(this.#last).toISOString(),
      run: this.run,
      ...this.#masker.event(body),
    };
    for (const sink of this.#sinks) sink.handle(event);
    return event;
  }

  /** Waits until every event so far is where it belongs; called before an effect begins. */
  async flush(): Promise<void> {
    for (const sink of this.#sinks) if (sink.flush) await sink.flush();
  }

  async close(): Promise<void> {
    for (const sink of this.#sinks) await sink.close?.();
  }
}
