import type { Place } from '../errors.ts';
import { type Compiled, compileDeep, type Locate } from '../language/deep.ts';
import { Definition, type DefinitionSite } from '../language/definition.ts';
import { compileForeign } from '../language/jinja.ts';
import type { TextPlace } from '../language/text-place.ts';
import type { Document, Path } from '../load/document.ts';
import { noVariables, type Variables } from './builder.ts';

/** How the values of a file are to be taken: as templates (reeve's dialect), or as data (Ansible's). */
export interface ValueDialect {
  isForeign: boolean;
  /** Of a file that is encrypted as a whole: its values are secret. */
  seal?: ((value: unknown) => unknown) | undefined;
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
  const site = new MappingSite(document, path, origin, dialect);
  const variables = noVariables();
  const { seal = (value: unknown) => value } = dialect;
  for (const name in mapping) variables[name] = new Definition({ value: seal(mapping[name]), site, key: name });
  return variables;
}

class MappingSite implements DefinitionSite<string> {
  readonly origin: string;
  readonly isForeign: boolean;
  readonly #document: Document;
  readonly #path: Path;

  constructor(document: Document, path: Path, origin: string, { isForeign }: ValueDialect) {
    this.#document = document;
    this.#path = path;
    this.origin = origin;
    this.isForeign = isForeign;
  }

  where(name: string): Place {
    return this.#document.place([...this.#path, name], 'key');
  }

  locate(name: string, inner: Path): TextPlace {
    return this.#document.textPlace([...this.#path, name, ...inner]);
  }

  compile(value: unknown, locate: Locate): Compiled {
    return this.isForeign ? compileForeign(value, locate) : compileDeep(value, locate);
  }
}
