/**
 * Reads a stream up to markers. What comes before a marker is handed out byte for byte.
 */
export class MarkerReader {
  #chunks: Buffer[] = [];
  /** The last bytes before the newest chunk: a marker may lie across chunks. */
  #seam = Buffer.alloc(0);
  #waiting: { marker: Buffer; resolve: (before: Buffer) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(stream: NodeJS.ReadableStream) {
    stream.on('data', (chunk: Buffer) => this.#push(chunk));
    stream.on('end', () => this.#end(new Error('end of stream')));
    stream.on('close', () => this.#end(new Error('stream closed')));
    stream.on('error', (error: Error) => this.#end(error));
  }

  /** Bytes before `marker`; the marker itself is taken off. Rejects when the stream ends first. */
  readUntil(marker: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { marker: Buffer.from(marker, 'latin1'), resolve, reject };
      const held = this.#chunks;
      this.#chunks = [];
      this.#seam = Buffer.alloc(0);
      for (const chunk of held) this.#push(chunk);
      if (this.#ended) this.#end(this.#ended);
    });
  }

  /** Takes what has arrived so far. */
  take(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#seam = Buffer.alloc(0);
    return all;
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    const waiting = this.#waiting;
    if (!waiting) return;
    const window = this.#seam.length ? Buffer.concat([this.#seam, chunk]) : chunk;
    const at = window.indexOf(waiting.marker);
    if (at < 0) {
      this.#seam = Buffer.from(window.subarray(Math.max(0, window.length - waiting.marker.length + 1)));
      return;
    }
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const start = all.length - window.length + at;
    const rest = all.subarray(start + waiting.marker.length);
    this.#chunks = rest.length ? [rest] : [];
    this.#waiting = undefined;
    waiting.resolve(all.subarray(0, start));
  }

  /** Ends the reading: who waits is rejected with `error`. */
  fail(error: Error): void {
    this.#end(error);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
