import { EXIT, type Place, ReeveError } from '../errors.ts';
import { Sealed } from './sealed.ts';

/** A value that ansible-vault encrypted, where nobody can open it. */
export class Vaulted extends Sealed {
  /** The armour as written: `$ANSIBLE_VAULT;1.1;AES256` and lines of hexadecimal digits. */
  readonly text: string;
  readonly place: Place;

  constructor(text: string, place: Place) {
    super();
    this.text = text;
    this.place = place;
  }

  /** @throws ReeveError `vaulted-value`. */
  open(): unknown {
    throw new ReeveError('vaulted-value', 'this value is encrypted with ansible-vault, and no password was given', {
      place: this.place,
      exitCode: EXIT.invalid,
    });
  }

  /** The form that `ansible-inventory --list` gives it. */
  toJSON(): unknown {
    return { __ansible_vault: this.text };
  }
}
