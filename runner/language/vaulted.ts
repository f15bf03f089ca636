import type { Place } from '../errors.ts';

/** A value or a file that ansible-vault encrypted: opaque until somebody who has the password is asked. */
export class Vaulted {
  /** The armour as written: `$ANSIBLE_VAULT;1.1;AES256` and lines of hexadecimal digits. */
  readonly text: string;
  readonly place: Place;

  constructor(text: string, place: Place) {
    this.text = text;
    this.place = place;
  }
}

/**
 * Gives the plain text of what is encrypted, and tells the masker.
 * @throws ReeveError with a place when the password is missing or wrong.
 */
export type Decrypt = (vaulted: Vaulted) => string;
