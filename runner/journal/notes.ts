import { appendFileSync, existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_VERSION, type RunEvent } from '../events.ts';
import type { RunFolder } from './folder.ts';
import { journalError } from './journal-error.ts';
import { readJournal } from './read.ts';

/**
 * Notes of people lie beside the journal, in events of the same form: whoever runs or resumes the run is the only writer of
 * `events.jsonl`, and a note must be possible while it does.
 */
function notesFile(folder: RunFolder): string {
  return join(folder.path, 'notes.jsonl');
}

/** Adds a note to a run, whether it is going on or over. @throws ReeveError `journal-failed` */
export function addNote(folder: RunFolder, text: string, by: string, now: Date = new Date()): void {
  const file = notesFile(folder);
  const { events, torn, length } = existsSync(file) ? readJournal(file) : { events: [], torn: false, length: 0 };
  const event: RunEvent = {
    ...{ v: EVENT_VERSION, seq: events.length + 1, at: now.toISOString(), run: folder.id },
    ...{ type: 'note', text, by },
  };
  try {
    // Half a note that a full disk has left would make one broken line with this one.
    if (torn) truncateSync(file, length);
    appendFileSync(file, `${JSON.stringify(event)}\n`, { mode: 0o600, flush: true });
  } catch (error) {
    throw journalError(file, error);
  }
}

/** The notes of a run in the order they were made. */
export function readNotes(folder: RunFolder): RunEvent[] {
  const file = notesFile(folder);
  return existsSync(file) ? readJournal(file).events : [];
}
