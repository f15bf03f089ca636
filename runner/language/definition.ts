import type { Place } from '../errors.ts';
import { type Compiled, compileDeep, type Locate } from './deep.ts';

export interface DefinitionOptions {
  /** May hold templates at any depth. */
  value: unknown;
  /** Where each string inside the value stands. */
  locate: Locate;
  /** Where the variable is defined; a function when it is worth computing only for those who ask. */
  where: Place | (() => Place);
  /** For people: `group_vars/servers.yaml`, `play vars`. */
  origin: string;
  isRaw?: ((path: readonly (string | number)[]) => boolean) | undefined;
  /** Compiles values of another dialect; by default strings are templates. */
  compile?: ((value: unknown, locate: Locate) => Compiled) | undefined;
}

/** A variable as a person wrote it. One object serves every host; it is compiled when first used. */
export class Definition {
  readonly value: unknown;
  readonly origin: string;
  readonly #locate: Locate;
  readonly #isRaw: DefinitionOptions['isRaw'];
  readonly #compile: DefinitionOptions['compile'];
  #where: DefinitionOptions['where'];
  #compiled: Compiled | undefined;

  constructor(options: DefinitionOptions) {
    this.value = options.value;
    this.origin = options.origin;
    this.#where = options.where;
    this.#locate = options.locate;
    this.#isRaw = options.isRaw;
    this.#compile = options.compile;
  }

  get where(): Place {
    if (typeof this.#where === 'function') this.#where = this.#where();
    return this.#where;
  }

  /** True when its strings are data as written, not templates. */
  get isForeign(): boolean {
    return this.#compile !== undefined;
  }

  /** @throws ReeveError with a place when a template in the value has a mistake. */
  get compiled(): Compiled {
    this.#compiled ??= this.#compile
      ? this.#compile(this.value, this.#locate)
      : compileDeep(this.value, this.#locate, this.#isRaw);
    return this.#compiled;
  }
}
