import { EXIT, ReeveError } from '../errors.ts';
import type { TextPlace } from './text-place.ts';

/**
 * A mistake in the text of a template or an expression, by offset. Compiled forms are cached by text and one text may
 * stand in many places, so the place is added where it is known.
 */
export class Fault extends Error {
  readonly code: string;
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(code: string, offset: number, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.offset = offset;
    this.hint = hint;
  }

  at(place: TextPlace): ReeveError {
    const options = { place: place.placeAt(this.offset), hint: this.hint, exitCode: EXIT.invalid };
    return new ReeveError(this.code, this.message, options);
  }
}

/** Runs `action`; a `Fault` it throws comes out as a ReeveError with a place in the text, everything else as it is. */
export function placingFaults<Result>(at: TextPlace, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw error instanceof Fault ? error.at(at) : error;
  }
}
