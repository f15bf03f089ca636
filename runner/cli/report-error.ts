import { EXIT, InvalidError, ReeveError } from '../errors.ts';

/** Wrong use of the command line. */
export class UsageError extends ReeveError {
  constructor(message: string, hint = '`reeve --help` shows how it is used') {
    super('usage', message, { hint, exitCode: EXIT.usage });
  }
}

/** Prints an error on stderr, known ones as sentences with a place, unknown ones with their stack. Gives the exit code. */
export async function reportError(error: unknown): Promise<number> {
  if (error instanceof InvalidError) {
    const { printDiagnostics } = await import('./diagnostics.ts');
    printDiagnostics(error.diagnostics);
    return error.exitCode;
  }
  if (error instanceof ReeveError && error.code !== 'unexpected') {
    const { printDiagnostics } = await import('./diagnostics.ts');
    printDiagnostics([
      {
        code: error.code,
        severity: 'error',
        message: error.message,
        ...(error.place ? { place: error.place } : {}),
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        ...(error.related ? { related: error.related } : {}),
      },
    ]);
    return error.exitCode;
  }
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  console.error('This is a bug in reeve. Please report it with the lines above.');
  return EXIT.unexpected;
}
