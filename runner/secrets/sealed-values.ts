import type { Place } from '../errors.ts';
import { Sealed } from '../language/sealed.ts';

/** What stands behind a tag in YAML: an ansible-vault text, or a lookup such as `env:TOKEN`. */
export type SealedKind = 'vault' | 'lookup';

/** A tagged value that is opened when it is first used. Printed as JSON it stays closed. */
export class TaggedSecret extends Sealed {
  readonly kind: SealedKind;
  readonly text: string;
  readonly place: Place;
  readonly #reveal: (secret: TaggedSecret) => unknown;

  constructor(kind: SealedKind, text: string, place: Place, reveal: (secret: TaggedSecret) => unknown) {
    super();
    this.kind = kind;
    this.text = text;
    this.place = place;
    this.#reveal = reveal;
  }

  open(): unknown {
    return this.#reveal(this);
  }

  /** A vaulted value in the form that `ansible-inventory --list` gives it. */
  toJSON(): unknown {
    return this.kind === 'vault' ? { __ansible_vault: this.text } : { secret: this.text };
  }
}

/** A value that was decrypted with the file around it. Masked from the moment it exists; closed when printed as JSON. */
export class DecryptedSecret extends Sealed {
  readonly #value: unknown;

  constructor(value: unknown) {
    super();
    this.#value = value;
  }

  open(): unknown {
    return this.#value;
  }

  toJSON(): unknown {
    return '********';
  }
}

/** A copy of a value with every sealed value in it opened. */
export function openDeep(value: unknown): unknown {
  if (value instanceof Sealed) return value.open();
  if (Array.isArray(value)) return value.map(openDeep);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, openDeep(item)]));
}
