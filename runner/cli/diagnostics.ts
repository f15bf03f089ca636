import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../errors.ts';
import { formatDiagnostics } from '../validate/format.ts';
import { wantsColor } from './terminal.ts';

/** Prints findings with the lines they are about on stderr. */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  process.stderr.write(`${formatDiagnostics(diagnostics, readSource, { color: wantsColor(process.stderr) })}\n`);
}

function readSource(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
