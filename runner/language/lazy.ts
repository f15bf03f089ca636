/** Names and their values; a value is made when it is asked for. */
export interface Scope {
  /** The value of a name, or undefined when there is none. */
  get(name: string): unknown;
  has(name: string): boolean;
  names(): Iterable<string>;
}

/**
 * A mapping whose values are made when asked for: the variables of a host, `hosts`, `vars`, facts. Templates and
 * expressions read its members like those of a plain mapping. What `get` throws goes up to the caller of render or
 * evaluate untouched, so that a caller can use it to fetch what is missing and render again.
 */
export abstract class LazyMapping implements Scope {
  abstract get(name: string): unknown;
  abstract has(name: string): boolean;
  abstract names(): Iterable<string>;
}

/** A LazyMapping made of three functions. `get` is only called for names that `has` knows. */
export function lazyMapping(source: Scope): LazyMapping {
  return new DelegatedMapping(source);
}

class DelegatedMapping extends LazyMapping {
  readonly #source: Scope;

  constructor(source: Scope) {
    super();
    this.#source = source;
  }

  override get(name: string): unknown {
    return this.#source.has(name) ? this.#source.get(name) : undefined;
  }

  override has(name: string): boolean {
    return this.#source.has(name);
  }

  override names(): Iterable<string> {
    return this.#source.names();
  }
}
