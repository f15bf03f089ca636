import { userInfo } from 'node:os';
import { EXIT } from '../../errors.ts';
import { findRun } from '../../journal/folder.ts';
import { addNote } from '../../journal/notes.ts';
import { isRunning } from '../../journal/run-lock.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';
import { UsageError } from '../report-error.ts';
import { writeRunReports } from '../run-reports.ts';
import { secretsOfRun } from '../run-secrets.ts';

/** `reeve note RUN TEXT`: adds a note to a run, which its action log shows. Secrets that the run knows are masked in it. */
export async function note(wanted: string, words: string[], options: Record<string, unknown>): Promise<number> {
  const said = words.join(' ').trim();
  if (said === '') throw new UsageError('note takes the text of the note');
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted);
  const { masker, problem } = await secretsOfRun(folder.readHeader(), options);
  if (problem !== undefined)
    console.error(`warning: not every secret of the run could be opened to mask it in the note: ${problem}`);
  addNote(folder, masker.text(said), userInfo().username);
  // A run that goes on writes its action log at its end.
  if (!isRunning(folder.path)) await writeRunReports(folder);
  console.log(`noted for run ${folder.id}`);
  return EXIT.done;
}
