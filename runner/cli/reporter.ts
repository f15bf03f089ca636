import type { EventSink } from '../events.ts';
import type { RunSettings } from '../execute/run-state.ts';
import { jsonReporter } from '../report/json.ts';
import { plainReporter } from '../report/plain.ts';
import { text } from './options.ts';
import { UsageError } from './report-error.ts';
import { wantsColor } from './terminal.ts';

const FORMATS = ['auto', 'tree', 'plain', 'json'];

/** The reporter that `--output` asks for. */
export function reporter(options: Record<string, unknown>, settings: RunSettings): EventSink {
  const format = text(options.output, '--output') ?? 'auto';
  if (!FORMATS.includes(format)) throw new UsageError(`--output ${format}: it can be ${FORMATS.join(', ')}`);
  const write = (line: string) => void process.stdout.write(line);
  if (format === 'json') return jsonReporter(write);
  return plainReporter({
    verbose: options.verbose === true,
    diff: settings.diff,
    color: wantsColor(process.stdout),
    write,
  });
}
