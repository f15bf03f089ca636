import { type Diagnostic, InvalidError, type Place } from '../errors.ts';

/** Something about a secret that stops everything before it begins: exit code 4. `message` must not quote a secret. */
export function secretProblem(code: string, message: string, place: Place, hint?: string): InvalidError {
  const diagnostic: Diagnostic = { code, severity: 'error', message, place, ...(hint === undefined ? {} : { hint }) };
  return new InvalidError([diagnostic]);
}

/** The file as a whole. */
export function wholeFile(file: string): Place {
  return { file, line: 1, column: 1 };
}
