import { Definition } from '../language/definition.ts';
import type { Document, Path } from '../load/document.ts';
import type { Variables } from './builder.ts';

/** The variables a mapping in a document defines, each knowing its place. */
export function definitionsAt(
  document: Document,
  path: Path,
  mapping: Record<string, unknown>,
  origin: string,
): Variables {
  const variables: Variables = Object.create(null);
  for (const [name, value] of Object.entries(mapping)) {
    const at = [...path, name];
    variables[name] = new Definition({
      value,
      locate: (inner) => document.textPlace([...at, ...inner]),
      where: document.place(at, 'key'),
      origin,
    });
  }
  return variables;
}
