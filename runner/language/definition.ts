import type { Place } from '../errors.ts';
import { type Compiled, compileDeep, type Locate } from './deep.ts';

export interface DefinitionOptions {
  /** May hold templates at any depth. */
  value: unknown;
  /** Where each string inside the value stands. */
  locate: Locate;
  /** Where the variable is defined. */
  where: Place;
  /** For people: `group_vars/servers.yaml`, `play vars`. */
  origin: string;
  isRaw?: ((path: readonly (string | number)[]) => boolean) | undefined;
}

/** A variable as a person wrote it. One object serves every host; it is compiled when first used. */
export class Definition {
  readonly value: unknown;
  readonly where: Place;
  readonly origin: string;
  readonly #options: DefinitionOptions;
  #compiled: Compiled | undefined;

  constructor(options: DefinitionOptions) {
    this.value = options.value;
    this.where = options.where;
    this.origin = options.origin;
    this.#options = options;
  }

  /** @throws ReeveError with a place when a template in the value has a mistake. */
  get compiled(): Compiled {
    this.#compiled ??= compileDeep(this.value, this.#options.locate, this.#options.isRaw);
    return this.#compiled;
  }
}
