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
  #turn: Promise<void> | undefined;

  get isOver(): boolean {
    return performance.now() - this.#since > SLICE;
  }

  /** Whoever waits meanwhile goes on in the same turn: with one each, fifty of them would make a slice of fifty. */
  next(): Promise<void> {
    this.#turn ??= setImmediate().then(() => {
      this.#turn = undefined;
      this.#since = performance.now();
    });
    return this.#turn;
  }
}
