import type { Place } from '../errors.ts';

/** Root names and their values, resolved when asked for. */
export interface Scope {
  /** The value; undefined when there is none by this name. May throw ReeveError when resolving it fails. */
  get(name: string): unknown;
  has(name: string): boolean;
  names(): Iterable<string>;
}

/** A name that a template or expression uses from its scope. */
export interface Reference {
  /** `['hosts', 'k3s-1', 'ip']`; as far as it is known before the run. */
  path: string[];
  /** True where a missing name is no error (`default`, `defined`, `has`). */
  optional: boolean;
  place: Place;
}

/** A value (string, list, mapping, scalar) in which every string was compiled as a template. */
export interface Compiled {
  /** True when it holds no template: render gives the value itself. */
  isStatic: boolean;
  references: Reference[];
  /** Unknown leaves stay in the result as `Unknown`. Throws ReeveError with a place. */
  render(scope: Scope): unknown;
}

/** A CEL expression. */
export interface Expression {
  text: string;
  references: Reference[];
  /** Plain numbers, strings, booleans, lists, mappings; or Unknown. Throws ReeveError with a place. */
  evaluate(scope: Scope): unknown;
}

/** A variable as some file defines it; its value may hold templates and is resolved on first use. */
export interface Definition {
  compiled: Compiled;
  where: Place;
  /** What set it: `play vars`, `host_vars/k3s-1.yaml`. */
  origin: string;
}
