import { EXIT, InvalidError, ReeveError } from '../errors.ts';
import { nearestName } from '../language/nearest.ts';

/** A word that was not found, and the words that there are: the hint names the nearest one. */
export interface Misspelt {
  word: string;
  among: Iterable<string>;
  shown?(near: string): string;
  otherwise?: string | undefined;
}

/** Wrong use of the command line. */
export class UsageError extends ReeveError {
  constructor(message: string, hint: string | Misspelt = '`reeve --help` shows how it is used') {
    super('usage', message, { hint: typeof hint === 'string' ? hint : nearestHint(hint), exitCode: EXIT.usage });
  }
}

function nearestHint({ word, among, shown, otherwise }: Misspelt): string | undefined {
  const near = nearestName(word, among);
  return near === undefined ? otherwise : `did you mean \`${shown ? shown(near) : near}\`?`;
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
