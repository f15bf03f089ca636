import type { Diagnostic } from '../../../runner/errors.ts';
import { InvalidError } from '../../../runner/errors.ts';

export interface Marked {
  text: string;
  line: number;
  column: number;
  /** Absent when the marks stand at one place (`«»`). */
  endColumn?: number;
}

/** Takes the marks `«` and `»` out of a text; they show where a diagnostic is expected. */
export function marked(source: string): Marked {
  const start = source.indexOf('«');
  if (start === -1) throw new Error('the text has no marks');
  const length = source.indexOf('»') - start - 1;
  const before = source.slice(0, start);
  const column = start - (before.lastIndexOf('\n') + 1) + 1;
  const place = { text: source.replace('«', '').replace('»', ''), line: before.split('\n').length, column };
  return length > 0 ? { ...place, endColumn: column + length } : place;
}

/** The diagnostics that an action throws. */
export function diagnosticsOf(action: () => unknown): Diagnostic[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidError) return error.diagnostics;
    throw error;
  }
  return [];
}
