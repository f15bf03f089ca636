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

  /** @param last the last event that the run has already, when it goes on. */
  constructor(
    run: string,
    sinks: EventSink[],
    masker: Masker,
    last: Pick<RunEvent, 'seq' | 'at'> | undefined = undefined,
    now: () => Date = () => new Date(),
  ) {
    this.run = run;
    this.#seq = last?.seq ?? 0;
    this.#last = last ? Date.parse(last.at) : 0;
    this.#sinks = sinks;
    this.#masker = masker;
    this.#now = now;
  }

  emit(body: EventBody): RunEvent {
    return this.#send(body, ++this.#seq, this.#sinks);
  }

  /** The same, but only for those who watch when the journal has it already: a run that goes on says where it is. */
  tell(body: EventBody, again = false): void {
    if (!again) this.emit(body);
    else
      this.#send(
        body,
        this.#seq,
        this.#sinks.filter((sink) => !sink.records),
      );
  }

  #send(body: EventBody, seq: number, sinks: readonly EventSink[]): RunEvent {
    // A clock that jumps back must not make the record run backwards.
    this.#last = Math.max(this.#last, this.#now().getTime());
    const event: RunEvent = {
      v: EVENT_VERSION,
      seq,
      at: new Date(this.#last).toISOString(),
      run: this.run,
      ...this.#masker.event(body),
    };
    for (const sink of sinks) sink.handle(event);
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
