import type { Diagnostic } from '../errors.ts';
import { formatDiagnostics } from '../validate/format.ts';
import { sourcesFromDisk } from '../validate/sources.ts';
import { wantsColor } from './terminal.ts';

/** Prints findings with the lines they are about on stderr. */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  process.stderr.write(`${formatDiagnostics(diagnostics, sourcesFromDisk(), { color: wantsColor(process.stderr) })}\n`);
}
