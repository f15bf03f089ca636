import type { Place } from '../errors.ts';

/** Turns offsets of a text into lines and columns (UTF-16 units, both counted from 1). Built when first asked. */
export class LineIndex {
  readonly file: string;
  readonly text: string;
  #starts: number[] | undefined;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  /** The place of `offset`; `endColumn` is given when `end` stands on the same line. Offsets outside are moved inside. */
  place(offset: number, end?: number): Place {
    const at = clamp(offset, this.text.length);
    const line = this.#lineOf(at);
    const place: Place = { file: this.file, line: line + 1, column: at - this.#lineStarts()[line]! + 1 };
    if (end === undefined || end <= at) return place;
    const until = clamp(end, this.text.length);
    if (this.#lineOf(until) === line) place.endColumn = until - this.#lineStarts()[line]! + 1;
    return place;
  }

  /** The whole line that `offset` stands on, without its end. */
  lineAt(offset: number): string {
    const starts = this.#lineStarts();
    const line = this.#lineOf(clamp(offset, this.text.length));
    return this.text.slice(starts[line]!, starts[line + 1] ?? this.text.length).replace(/\r?\n$/, '');
  }

  #lineOf(offset: number): number {
    const starts = this.#lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #lineStarts(): number[] {
    if (this.#starts) return this.#starts;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
    return starts;
  }
}

function clamp(offset: number, length: number): number {
  return Math.max(0, Math.min(offset, length));
}
