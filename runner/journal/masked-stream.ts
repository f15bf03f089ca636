import { StringDecoder } from 'node:string_decoder';
import type { Masker } from './masker.ts';

/**
 * Output that comes in pieces. A secret may be cut in two by them, so what may be the beginning of one waits for the
 * next piece, as do the bytes of a character that is not complete.
 */
export class MaskedStream {
  readonly #masker: Masker;
  readonly #show: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** @param show gets text that holds no secret and no beginning of one; never an empty one. */
  constructor(masker: Masker, show: (text: string) => void) {
    this.#masker = masker;
    this.#show = show;
  }

  push(bytes: Buffer): void {
    const { shown, rest } = this.#masker.split(this.#rest + this.#decoder.write(bytes));
    this.#rest = rest;
    if (shown !== '') this.#show(shown);
  }

  /** Nothing follows. */
  end(): void {
    const text = this.#masker.text(this.#rest + this.#decoder.end());
    this.#rest = '';
    if (text !== '') this.#show(text);
  }
}
