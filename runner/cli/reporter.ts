import type { RunSettings } from '../execute/run-state.ts';
import type { Reporter } from '../report/reporter.ts';
import { text } from './options.ts';
import { UsageError } from './report-error.ts';
import { writeOut } from './stdout.ts';
import { isInteractive, wantsColor } from './terminal.ts';

const FORMATS = ['auto', 'tree', 'plain', 'json'];

/** The reporter that `--output` asks for. A tree needs a terminal: without one, plain lines take its place. */
export async function reporter(
  options: Record<string, unknown>,
  settings: Pick<RunSettings, 'diff'>,
): Promise<Reporter> {
  const format = text(options.output, '--output') ?? 'auto';
  if (!FORMATS.includes(format)) throw new UsageError(`--output ${format}: it can be ${FORMATS.join(', ')}`);
  if (format === 'json') return (await import('../report/json.ts')).jsonReporter(writeOut);
  const color = wantsColor(process.stdout);
  const look = { verbose: options.verbose === true, diff: settings.diff, color, write: writeOut };
  const isTree = format === 'tree' ? process.stdout.isTTY === true : format === 'auto' && isInteractive();
  if (!isTree) return (await import('../report/plain.ts')).plainReporter(look);
  const { treeReporter } = await import('../report/tree/tree.ts');
  return treeReporter({ ...look, stdout: process.stdout, stderr: process.stderr });
}
