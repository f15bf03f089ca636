import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders, type RunFolder, type RunHeader } from '../journal/folder.ts';
import { readNotes } from '../journal/notes.ts';
import { visitJournal } from '../journal/read.ts';
import { type Format, REPORT_FILES, type Render } from '../report/formats.ts';
import { Recorder, type RunRecord } from '../report/record.ts';
import { Slices } from '../slices.ts';
import type { LogFile } from './log-file.ts';

/** What reports are made of: the header, and the record of the events, with the notes of people after them. */
async function readRun(folder: RunFolder): Promise<{ header: RunHeader; record: RunRecord }> {
  const recorder = new Recorder();
  await visitJournal(folder.events, (event) => recorder.take(event));
  for (const note of readNotes(folder)) recorder.take(note);
  return { header: folder.readHeader(), record: recorder.record };
}

/** The reports of one format, by the name of their file: `github` has two, the others one. */
export async function renderReports(folder: RunFolder, format: Format): Promise<{ file: string; text: string }[]> {
  const { header, record } = await readRun(folder);
  const wanted = REPORT_FILES.filter((one) => one.format === format);
  return Promise.all(wanted.map(async ({ file, load }) => ({ file, text: await whole(await load(), header, record) })));
}

/**
 * Writes `action-log.md` into the folder of a run, and every report into the folder `to` when one is given. To be called
 * when a run has ended, however it ended.
 * @throws whatever the file system or the journal throws: the run itself is over by then, so the caller only tells it.
 */
export async function writeRunReports(folder: RunFolder, to?: string): Promise<void> {
  const { header, record } = await readRun(folder);
  if (to !== undefined) makeFolders(to, 0o777);
  for (const { file, format, load } of REPORT_FILES) {
    if (format !== 'md' && to === undefined) continue;
    const text = await whole(await load(), header, record);
    if (format === 'md') replaceFile(join(folder.path, file), text, 0o600);
    if (to !== undefined) replaceFile(join(to, file), text);
  }
}

/** The text of a report; the event loop has its turn between the pieces, so that Ctrl-C need not wait for all of them. */
async function whole(render: Render, header: RunHeader, record: RunRecord): Promise<string> {
  const slices = new Slices();
  let text = '';
  for (const piece of render(header, record)) {
    text += piece;
    if (slices.isOver) await slices.next();
  }
  return text;
}

/** Whoever reads the file meanwhile sees the old one or the new one, never a half. */
export function replaceFile(path: string, text: string, mode = 0o666): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

/** Writes the reports of a run that has ended; what goes wrong with them is told and does not change how it ended. */
export async function finishReports(folder: RunFolder, to: string | undefined, log: LogFile): Promise<void> {
  if (log.failure) console.error(`warning: the log file of the run is not complete: ${log.failure.message}`);
  try {
    await writeRunReports(folder, to);
  } catch (error) {
    console.error(`warning: the reports of the run are not written: ${(error as Error).message}`);
    console.error(`\`reeve report ${folder.id}\` makes them from its journal`);
  }
}
