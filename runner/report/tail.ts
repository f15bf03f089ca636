import { visible } from './visible.ts';

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
        .map(atItsEnd)
        .filter((line) => line !== ''),
    ];
    this.#lines = this.#lines.slice(-this.#most);
  }

  get lines(): string[] {
    const open = atItsEnd(this.#open);
    return (open === '' ? this.#lines : [...this.#lines, open]).slice(-this.#most);
  }
}

/** What a terminal would show of a line at its end: a progress bar rewrites itself after each carriage return. */
function atItsEnd(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1)!;
  return visible(last).replaceAll('\t', ' ').trimEnd();
}
