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
  readonly #open: () => unknown;

  constructor(open: () => unknown) {
    super();
    this.#open = open;
  }

  open(): unknown {
    return this.#open();
  }

  toJSON(): unknown {
    return '********';
  }
}
