import type { EventSink } from '../events.ts';

/** Shows a run to a person or a program. */
export interface Reporter extends EventSink {
  /** Does something that needs the terminal for itself, such as asking a question. */
  apart<T>(work: () => Promise<T>): Promise<T>;
}
