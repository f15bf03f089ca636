import type { Document } from './document.ts';
import { parseDocument } from './parse.ts';

/**
 * A JSON text as a document, read by JavaScript's own reader, which is some fifty times as fast as the YAML parser; that
 * one is only asked when somebody wants a position. Undefined when the text is no JSON.
 */
export function parseJsonDocument(text: string, file: string): Document | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  let parsed: Document | undefined;
  const document = () => (parsed ??= parseDocument(text, file, { duplicateKeys: 'last', allowEmpty: true }));
  return {
    file,
    text,
    value,
    place: (path, of) => document().place(path, of),
    textPlace: (path) => document().textPlace(path),
  };
}
