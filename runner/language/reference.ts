import type { Place } from '../errors.ts';

/** One use of a root name in a template or an expression. */
export interface Reference {
  /** Root name first, then the members that must exist, as far as they are written as constants. */
  path: string[];
  /** True where an undefined name is no error: inside `default` and `defined`. */
  optional: boolean;
  place: Place;
}

/** A reference as the caches keep it: the offset in the text instead of a place, since one text has many places. */
export interface OffsetReference {
  path: string[];
  optional: boolean;
  offset: number;
}
