import { EXIT, ReeveError } from '../errors.ts';

/** What is said when a file of a run's folder cannot be written: full, read-only, broken. */
export function journalError(file: string, cause: unknown): ReeveError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ReeveError('journal-failed', `the journal ${file} cannot be written: ${why}`, {
    hint: 'nothing is changed without a record of it; free some space or choose another folder with --runs',
    exitCode: EXIT.unexpected,
    cause,
  });
}
