import { Definition } from '../language/definition.ts';
import { compileForeign } from '../language/jinja.ts';
import type { Document, Path } from '../load/document.ts';
import { noVariables, type Variables } from './builder.ts';

/** How the values of a file are to be taken: as templates (reeve's dialect), or as data (Ansible's). */
export interface ValueDialect {
  isForeign: boolean;
}

export const REEVE: ValueDialect = { isForeign: false };

/** The variables a mapping in a document defines, each knowing its place. */
export function definitionsAt(
  document: Document,
  path: Path,
  mapping: Record<string, unknown>,
  origin: string,
  dialect: ValueDialect = REEVE,
): Variables {
  const { isForeign } = dialect;
  const variables = noVariables();
  for (const name of Object.keys(mapping)) {
    const at = [...path, name];
    variables[name] = new Definition({
      value: mapping[name],
      locate: (inner) => document.textPlace([...at, ...inner]),
      where: () => document.place(at, 'key'),
      origin,
      compile: isForeign ? compileForeign : undefined,
    });
  }
  return variables;
}
