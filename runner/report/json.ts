import type { Reporter } from './reporter.ts';

/** One event a line, as `schemas/event.schema.json` describes it. */
export function jsonReporter(write: (text: string) => void): Reporter {
  return { handle: (event) => write(`${JSON.stringify(event)}\n`), apart: (work) => work() };
}
