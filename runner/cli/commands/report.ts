import { appendFileSync } from 'node:fs';
import { EXIT } from '../../errors.ts';
import { findRun } from '../../journal/folder.ts';
import { FORMATS, type Format } from '../../report/formats.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';
import { UsageError } from '../report-error.ts';
import { renderReports, replaceFile } from '../run-reports.ts';

/** `reeve report RUN --format FORMAT [--output FILE]`: a report of a recorded run, to stdout or into a file. */
export async function report(wanted: string, options: Record<string, unknown>): Promise<number> {
  const format = formatOf(text(options.format, '--format') ?? 'md');
  const output = text(options.output, '--output');
  const folder = findRun(runsFolder(text(options.runs, '--runs')), wanted);
  const [first, ...rest] = await renderReports(folder, format);
  if (output === undefined) process.stdout.write(first!.text);
  else replaceFile(output, first!.text);
  // GitHub gives a step a file for its summary; elsewhere the summary is one of the files that `run --report` writes.
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (format === 'github' && summary) for (const { text: more } of rest) appendFileSync(summary, more);
  return EXIT.done;
}

function formatOf(given: string): Format {
  const format = FORMATS.find((one) => one === given);
  if (format) return format;
  throw new UsageError(`there is no format "${given}"`, {
    word: given,
    among: FORMATS,
    shown: (near) => `--format ${near}`,
    otherwise: `a report is one of: ${FORMATS.join(', ')}`,
  });
}
