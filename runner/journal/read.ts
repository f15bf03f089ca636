import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { EXIT, ReeveError } from '../errors.ts';
import { EVENT_VERSION, type RunEvent } from '../events.ts';
import { Slices } from '../slices.ts';

/** How far a journal can be read. */
export interface JournalEnd {
  /** The last line was cut off: the run died while writing it. */
  torn: boolean;
  /** Bytes up to the end of the last whole line: where a resume goes on. */
  length: number;
}

export interface ReadJournal extends JournalEnd {
  events: RunEvent[];
}

/**
 * Reads a journal. A torn last line is tolerated: what it would have announced did not begin.
 * @throws ReeveError `journal-corrupt` for a broken line anywhere else, `journal-newer` for events of a newer reeve.
 */
export function readJournal(file: string): ReadJournal {
  const events: RunEvent[] = [];
  const reading = eventsIn(file, bytesOf(file));
  for (;;) {
    const { value, done } = reading.next();
    if (done) return { events, ...value };
    events.push(value);
  }
}

/**
 * The same, event by event: none is kept, and the event loop goes round meanwhile. The reports of a run read all of it at
 * its end, and 25,000 tasks are a hundred thousand events.
 */
export async function visitJournal(file: string, visit: (event: RunEvent) => void): Promise<void> {
  const slices = new Slices();
  for (const event of eventsIn(file, await readFile(file).catch(noFile))) {
    visit(event);
    if (slices.isOver) await slices.next();
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    return noFile(error);
  }
}

/** A run that died right after its folder was made has no journal yet: nothing has happened. */
function noFile(error: unknown): Buffer {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

function* eventsIn(file: string, bytes: Buffer): Generator<RunEvent, JournalEnd> {
  let at = 0;
  let line = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    line++;
    if (end < 0) return { torn: true, length: at };
    const event = parseLine(bytes.subarray(at, end));
    if (!event) {
      // A crash can leave blocks of zeros at the end of a file whose size was written before its data.
      if (isTail(bytes, at)) return { torn: true, length: at };
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
    yield event;
    at = end + 1;
  }
  return { torn: false, length: at };
}

function parseLine(bytes: Buffer): RunEvent | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as RunEvent;
    return typeof value === 'object' &&
      value !== null &&
      typeof value.type === 'string' &&
      typeof value.seq === 'number'
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
