import { Definition } from '../language/definition.ts';
import { compileForeign } from '../language/jinja.ts';
import type { Decrypt } from '../language/vaulted.ts';
import type { Document, Path } from '../load/document.ts';
import { noVariables, type Variables } from './builder.ts';

/** How the values of a file are to be taken: as templates (reeve's dialect), or as data (Ansible's). */
export interface ValueDialect {
  isForeign: boolean;
  decrypt?: Decrypt | undefined;
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
  const { isForeign, decrypt } = dialect;
  const variables = noVariables();
  for (const name of Object.keys(mapping)) {
    const at = [...path, name];
    variables[name] = new Definition({
      value: mapping[name],
      locate: (inner) => document.textPlace([...at, ...inner]),
      where: () => document.place(at, 'key'),
      origin,
      compile: isForeign ? (value, locate) => compileForeign(value, locate, decrypt) : undefined,
    });
  }
  return variables;
}
