import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT } from '../../errors.ts';
import type { RunEvent } from '../../events.ts';
import { findRun, type RunFolder, type RunHeader } from '../../journal/folder.ts';
import { readJournal } from '../../journal/read.ts';
import { isRunning, runsElsewhere } from '../../journal/run-lock.ts';
import { logLines } from '../../report/run-log.ts';
import { statusOf } from '../../report/status.ts';
import { statusLines } from '../../report/status-lines.ts';
import { visible } from '../../report/visible.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';
import { isInteractive } from '../terminal.ts';

/** milliseconds between two looks of `--follow`. */
const PAUSE = 500;

/** `reeve status [RUN] [--follow]`: what a run is doing, or how it ended; from any terminal that sees its folder. */
export async function status(wanted: string | undefined, options: Record<string, unknown>): Promise<number> {
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted ?? 'last');
  const journal = new GrowingJournal(folder.events);
  if (options.json) {
    const elsewhere = runsElsewhere(folder.path);
    // Of a process on another machine nobody can tell from here.
    const alive = elsewhere ? { alive: null, elsewhere } : { alive: isRunning(folder.path) };
    console.log(
      JSON.stringify({ run: folder.id, ...alive, ...statusOf(journal.events, headerOf(folder)) }, undefined, 2),
    );
    return EXIT.done;
  }
  if (!options.follow) for (const line of look(folder, journal).lines) console.log(line);
  else if (isInteractive()) await redraw(folder, journal);
  else await tell(folder, journal);
  return EXIT.done;
}

/** The status as it is now, and whether more may come. */
function look(folder: RunFolder, journal: GrowingJournal): { alive: boolean; lines: string[] } {
  // Asked first: a run that ends in between has its end in the journal.
  const running = isRunning(folder.path);
  const elsewhere = runsElsewhere(folder.path);
  const now = statusOf(journal.events, headerOf(folder));
  const alive = running && !(elsewhere && now.outcome);
  const seen = { id: folder.id, alive, now: Date.now(), ...(elsewhere ? { elsewhere } : {}) };
  return { alive, lines: statusLines(now, seen).map((line) => visible(line).replaceAll(/[\n\t]/g, ' ')) };
}

/** A run tells who it is by its first event; one that has none yet is known by its header. */
function headerOf(folder: RunFolder): RunHeader | undefined {
  try {
    return folder.readHeader();
  } catch {
    return undefined;
  }
}

/** On a terminal: always the same lines, rewritten twice a second, until the run is over. */
async function redraw(folder: RunFolder, journal: GrowingJournal): Promise<void> {
  const { stdout } = process;
  let drawn = 0;
  for (;;) {
    const { alive, lines } = look(folder, journal);
    const width = Math.max(20, stdout.columns ?? 80);
    // What has scrolled out cannot be rewritten; at the end all of it is left standing.
    const rows = Math.max(1, (stdout.rows ?? 24) - 1);
    const shown = alive ? lines.slice(0, rows).map((line) => cut(line, width - 1)) : lines;
    stdout.write(frame(shown, drawn));
    if (!alive) return;
    drawn = shown.length;
    await pause(PAUSE);
  }
}

/** Lines in the place of so many earlier ones. Line by line: a terminal keeps what a clearing of the screen takes away. */
function frame(lines: readonly string[], before: number): string {
  const back = before > 0 ? `\x1b[${before}A\r` : '';
  const surplus = Math.max(0, before - lines.length);
  const blank = surplus > 0 ? `${'\x1b[K\n'.repeat(surplus)}\x1b[${surplus}A` : '';
  return `${back}${lines.map((line) => `${line}\x1b[K\n`).join('')}${blank}`;
}

/** Into a pipe or a file: how it stands, then a line for each thing that happens, then how it ended. */
async function tell(folder: RunFolder, journal: GrowingJournal): Promise<void> {
  const first = look(folder, journal);
  let told = journal.events.length;
  for (const line of first.lines) console.log(line);
  for (let { alive } = first; alive; ) {
    await pause(PAUSE);
    const seen = look(folder, journal);
    const { events } = journal;
    for (const event of events.slice(told)) for (const line of logLines(event)) console.log(line);
    told = events.length;
    alive = seen.alive;
    if (!alive) for (const line of seen.lines) console.log(line);
  }
}

function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** The events of a journal that somebody may be writing; read again only when it has grown. */
class GrowingJournal {
  readonly #file: string;
  #size = -1;
  #events: RunEvent[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  get events(): readonly RunEvent[] {
    // A run that has only just begun has none yet.
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    if (size !== this.#size) {
      this.#size = size;
      this.#events = size === 0 ? [] : readJournal(this.#file).events;
    }
    return this.#events;
  }
}
