/**
 * A map that forgets what was not used for long, so that a long run cannot fill the memory with compiled forms. Two
 * generations instead of an order of use: moving an entry to the end of a Map costs 12 µs once it holds 5,000
 * (deleted entries stay in its buckets), which is more than compiling saves.
 */
export class BoundedCache<Value> {
  #recent = new Map<string, Value>();
  #older = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The cached value of `key`; made with `make` and kept when there is none. What `make` throws is not kept. */
  getOrMake(key: string, make: () => Value): Value {
    const cached = this.#recent.get(key);
    if (cached !== undefined) return cached;
    const value = this.#older.get(key) ?? make();
    if (this.#recent.size >= this.#limit / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
    return value;
  }

  /** How many entries are kept at the moment; one in both generations counts twice. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }
}
