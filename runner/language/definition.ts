import type { Place } from '../errors.ts';
import { type Compiled, compileDeep, type Locate } from './deep.ts';
import type { TextPlace } from './text-place.ts';

type Path = readonly (string | number)[];

export interface DefinitionOptions {
  /** May hold templates at any depth. */
  value: unknown;
  /** Where each string inside the value stands. */
  locate: Locate;
  /** Where the variable is defined. */
  where: Place;
  /** For people: `group_vars/servers.yaml`, `play vars`. */
  origin: string;
  isRaw?: ((path: Path) => boolean) | undefined;
}

/**
 * What the definitions of one file or mapping have in common, so that each of them is small: an inventory may have a
 * million. `key` says which definition is asked about: its name, an offset.
 */
export interface DefinitionSite<Key = unknown> {
  /** For people: `group_vars/servers.yaml`, `play vars`. */
  readonly origin: string;
  /** True when strings are data as written, not templates. */
  readonly isForeign: boolean;
  where(key: Key): Place;
  locate(key: Key, path: Path): TextPlace;
  compile(value: unknown, locate: Locate): Compiled;
}

/** A variable as a person wrote it. One object serves every host; it is compiled when first used. */
export class Definition {
  readonly value: unknown;
  readonly #site: DefinitionSite;
  readonly #key: unknown;
  #compiled: Compiled | undefined;

  constructor(options: DefinitionOptions | { value: unknown; site: DefinitionSite<never>; key: unknown }) {
    this.value = options.value;
    if ('site' in options) {
      this.#site = options.site as DefinitionSite;
      this.#key = options.key;
    } else this.#site = ownSite(options);
  }

  get origin(): string {
    return this.#site.origin;
  }

  get where(): Place {
    return this.#site.where(this.#key);
  }

  /** True when its strings are data as written, not templates. */
  get isForeign(): boolean {
    return this.#site.isForeign;
  }

  /** @throws ReeveError with a place when a template in the value has a mistake. */
  get compiled(): Compiled {
    this.#compiled ??= this.#site.compile(this.value, (path) => this.#site.locate(this.#key, path));
    return this.#compiled;
  }
}

function ownSite({ origin, where, locate, isRaw }: DefinitionOptions): DefinitionSite {
  return {
    origin,
    isForeign: false,
    where: () => where,
    locate: (_key, path) => locate(path),
    compile: (value, at) => compileDeep(value, at, isRaw),
  };
}
