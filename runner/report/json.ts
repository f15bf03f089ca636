import type { EventSink } from '../events.ts';

/** One event a line, as `schemas/event.schema.json` describes it. */
export function jsonReporter(write: (text: string) => void): EventSink {
  return { handle: (event) => write(`${JSON.stringify(event)}\n`) };
}
