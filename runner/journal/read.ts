import { readFileSync } from 'node:fs';
import { EXIT, ReeveError } from '../errors.ts';
import { EVENT_VERSION, type RunEvent } from '../events.ts';

export interface ReadJournal {
  events: RunEvent[];
  /** The last line was cut off: the run died while writing it. */
  torn: boolean;
  /** Bytes up to the end of the last whole line: where a resume goes on. */
  length: number;
}

/**
 * Reads a journal. A torn last line is tolerated: what it would have announced did not begin.
 * @throws ReeveError `journal-corrupt` for a broken line anywhere else, `journal-newer` for events of a newer reeve.
 */
export function readJournal(file: string): ReadJournal {
  const bytes = readFileSync(file);
  const events: RunEvent[] = [];
  let at = 0;
  let line = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    line++;
    if (end < 0) return { events, torn: true, length: at };
    const event = parseLine(bytes.subarray(at, end));
    if (!event) {
      // A crash can leave blocks of zeros at the end of a file whose size was written before its data.
      if (isTail(bytes, at)) return { events, torn: true, length: at };
      throw new ReeveError('journal-corrupt', `${file}:${line}: this line is no event`, {
        hint: 'the journal was changed or damaged; restore it from a copy, or start a new run',
        exitCode: EXIT.unexpected,
      });
    }
    if (event.v > EVENT_VERSION) {
      throw new ReeveError('journal-newer', `${file} was written by a newer reeve (events of version ${event.v})`, {
        exitCode: EXIT.usage,
      });
    }
    events.push(event);
    at = end + 1;
  }
  return { events, torn: false, length: at };
}

function parseLine(bytes: Buffer): RunEvent | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as RunEvent;
    return typeof value === 'object' && value !== null && typeof value.type === 'string' && typeof value.seq === 'number'
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** True when nothing that could be an event follows. */
function isTail(bytes: Buffer, at: number): boolean {
  const rest = bytes.subarray(at).toString('utf8').split('\n');
  return rest.every((text) => parseLine(Buffer.from(text)) === undefined);
}
