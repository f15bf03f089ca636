import type { Place } from '../errors.ts';

/** Knows where each character of one string stands in the file it was written in. */
export interface TextPlace {
  /** offset counts UTF-16 units from the start of the string; offsets past the end give the end. */
  placeAt(offset: number): Place;
}

/**
 * A TextPlace for text that stands in its file exactly as it is (a plain scalar, a template file, `-e` on the command
 * line): `start` is where its first character stands.
 */
export function textStartingAt(start: Place, text: string): TextPlace {
  return {
    placeAt(offset) {
      const before = text.slice(0, Math.max(0, offset));
      const lineBreak = before.lastIndexOf('\n');
      if (lineBreak < 0) return { file: start.file, line: start.line, column: start.column + before.length };
      const lines = before.split('\n').length - 1;
      return { file: start.file, line: start.line + lines, column: before.length - lineBreak };
    },
  };
}

/** A TextPlace that answers the same place for every offset, for text whose inner positions are not known. */
export function textSomewhereIn(place: Place): TextPlace {
  return { placeAt: () => place };
}
