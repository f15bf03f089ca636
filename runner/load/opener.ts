import type { Tags } from './convert.ts';
import type { Document } from './document.ts';

/**
 * Opens what is encrypted while documents are loaded. Loading knows nothing of passwords and keys; whoever starts it
 * hands one of these in.
 */
export interface Opener {
  /** Tags of values that are secret: `!vault`, `!secret`. */
  readonly tags: Tags;
  /** The plain text of a file that is encrypted as a whole (ansible-vault); undefined when it is not encrypted. */
  openText(text: string, file: string): string | undefined;
  /** Parses what `openText` gave of `text`. Its values are secret, and errors about it quote nothing of it. */
  parseOpened(text: string, file: string, parse: () => Document): Document;
  /** A document whose values are encrypted one by one (SOPS), with `Sealed` values in their places; else the same one. */
  openDocument(document: Document): Document;
  /** A copy of variables from an encrypted file with their texts and numbers sealed; templates stay templates. */
  seal(variables: unknown): unknown;
  /** Marks a value as secret: a mapping or list with everything in it. */
  learn(value: unknown): void;
}
