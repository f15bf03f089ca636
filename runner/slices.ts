import { setImmediate } from 'node:timers/promises';

/** milliseconds that long work may keep the event loop to itself. */
const SLICE = 20;

/**
 * Cuts long work into slices, between which the event loop goes round: signals, timers and connections get their turn.
 *
 *     const slices = new Slices();
 *     for (const one of many) {
 *       work(one);
 *       if (slices.isOver) await slices.next();
 *     }
 */
export class Slices {
  #since = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#since > SLICE;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
