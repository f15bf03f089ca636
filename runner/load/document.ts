import type { Place } from '../errors.ts';
import type { TextPlace } from '../language/text-place.ts';

export { Raw } from '../language/raw.ts';
export { Sealed } from '../language/sealed.ts';
export type { TextPlace } from '../language/text-place.ts';

/** Keys and indices that lead from the root of a document to a node. */
export type Path = readonly (string | number)[];

/** A YAML (or JSON) file as plain values, in which every node keeps its position. */
export interface Document {
  file: string;
  text: string;
  /** Plain mappings, lists and scalars; a `!raw` string is a Raw, a `!vault` or other known tag an object of its class. */
  value: unknown;
  /** Place of the node at `path` (of its key when `of` is 'key'); the nearest parent that exists when there is none. */
  place(path: Path, of?: 'key' | 'value'): Place;
  /** Place of characters within the string at `path` (block scalars, quotes and escapes taken into account). */
  textPlace(path: Path): TextPlace;
}

/** A part of a document: what travels when a value must later be able to say where it stands. */
export interface Located<T = unknown> {
  value: T;
  document: Document;
  path: Path;
}
