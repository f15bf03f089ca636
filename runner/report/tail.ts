import { stripVTControlCharacters } from 'node:util';

/** The last lines of a stream that comes in pieces, free of what would steer a terminal. */
export class Tail {
  readonly #most: number;
  #lines: string[] = [];
  #open = '';

  constructor(most: number) {
    this.#most = most;
  }

  add(text: string): void {
    const pieces = (this.#open + text).split('\n');
    this.#open = pieces.pop()!;
    this.#lines = [
      ...this.#lines,
      ...pieces
        .slice(-this.#most)
        .map(visible)
        .filter((line) => line !== ''),
    ];
    this.#lines = this.#lines.slice(-this.#most);
  }

  get lines(): string[] {
    const open = visible(this.#open);
    return (open === '' ? this.#lines : [...this.#lines, open]).slice(-this.#most);
  }
}

/** What a terminal would show of a line at its end: a progress bar rewrites itself after each carriage return. */
function visible(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1)!;
  return stripVTControlCharacters(last)
    .replaceAll('\t', ' ')
    .replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '')
    .trimEnd();
}
