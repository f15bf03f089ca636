import { EXIT, ReeveError } from '../errors.ts';
import { interruptibleSleep } from './sleep.ts';

/**
 * Seconds after which a lock that nobody renews has expired. An API goes away while a server restarts, so it must not be
 * short; expiry is judged by the time in which this process saw no change, never by comparing two machines' clocks.
 */
export const EXPIRY_SECONDS = 60;
/**
 * milliseconds: between two renewals, between two looks at a lock that is taken, and until one counts as expired. Tests of
 * whole processes make the first two short.
 */
export const LOCK_TIMES = { expiry: EXPIRY_SECONDS * 1000, renew: 15_000, look: 2_000 };

/** A lock as it was found: who has it, since when, and something that changes whenever its holder renews it. */
export interface FoundLock {
  holder: string;
  since: string;
  mark: string;
}

/** Where a lock lives. Each change happens in one step there: of several that try at once exactly one succeeds. */
export interface LockPlace {
  /** What is there now; undefined when it is free. Remembered for `claim`. */
  look(): Promise<FoundLock | undefined>;
  /** Takes what the last look has found free or expired; false when it is no longer as that look found it. */
  claim(): Promise<boolean>;
  /** Gives the holder when it is not this one any more, '' when the lock is gone. Throws when the place does not answer. */
  renew(): Promise<string | undefined>;
  /** Gives it back when it is still this one's. False when that could not be done. Never throws. */
  free(): Promise<boolean>;
}

export interface HoldOptions {
  name: string;
  /** Who holds it, for people, one line: `run 2026… of user@machine`. */
  holder: string;
  signal: AbortSignal;
  /** Called when somebody else has taken the lock: this run must stop. */
  onLost: (message: string) => void;
  /** Called when this run does not hold it any more, and when it could not give it back. */
  onFree?: () => void;
  onKept?: (message: string, hint: string) => void;
  /** milliseconds to wait for a holder that is alive; 0 refuses. */
  wait?: number;
  /** Told who has it, once, when there is something to wait for. */
  onWait?: (message: string) => void;
  /** milliseconds; tests make them short. */
  times?: { expiry: number; renew: number; look: number };
}

export interface Lock {
  /** Makes sure that it is still held when it was not renewed for long: this machine may have slept. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a lock and keeps it, or refuses. One whose holder is alive (it renews) is refused as soon as that is seen, or
 * waited for; one whose holder died is taken over once it was seen unchanged for as long as it lasts.
 * @throws ReeveError `locked`, exit code 6, naming the holder.
 */
export async function holdLock(place: LockPlace, options: HoldOptions): Promise<Lock> {
  const lock = new HeldLock(place, options);
  await lock.take();
  return lock;
}

class HeldLock implements Lock {
  readonly #place: LockPlace;
  readonly #options: HoldOptions;
  readonly #times: typeof LOCK_TIMES;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #renewedAt = 0;

  constructor(place: LockPlace, options: HoldOptions) {
    this.#place = place;
    this.#options = options;
    this.#times = options.times ?? LOCK_TIMES;
  }

  async take(): Promise<void> {
    // Not the wall clock: that one can jump.
    const begun = performance.now();
    let seen: { mark: string; at: number } | undefined;
    let told = false;
    for (;;) {
      const found = await this.#place.look();
      const since = seen === undefined || seen.mark !== found?.mark ? performance.now() : seen.at;
      // What this very run left when it died: nobody else is in it now, its folder sees to that.
      const isOwn = found?.holder === this.#options.holder;
      if (!found || isOwn || performance.now() - since >= this.#times.expiry) {
        if (await this.#place.claim()) break;
        continue;
      }
      const isAlive = seen !== undefined && seen.mark !== found.mark;
      if (isAlive && performance.now() - begun >= (this.#options.wait ?? 0)) throw this.#refusal(found);
      if (!told) this.#options.onWait?.(this.#whatIsAwaited(found));
      told = true;
      seen = { mark: found.mark, at: since };
      await this.#pause();
    }
    this.#renewedAt = Date.now();
    this.#timer = setInterval(() => void this.#queueRenewal(), this.#times.renew);
    this.#timer.unref();
  }

  async confirm(): Promise<void> {
    // The wall clock goes on while a machine sleeps; that it can jump costs one renewal too many.
    if (this.#timer && Math.abs(Date.now() - this.#renewedAt) > 2 * this.#times.renew) await this.#queueRenewal();
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#renewing;
    if (await this.#place.free()) {
      this.#options.onFree?.();
      return;
    }
    const { name } = this.#options;
    this.#options.onKept?.(
      `the lock ${name} could not be given back: where it is held does not answer`,
      `another run takes it over after ${EXPIRY_SECONDS} s, \`reeve lock break ${name}\` frees it at once`,
    );
  }

  #queueRenewal(): Promise<void> {
    this.#renewing = this.#renewing.then(() => this.#renew());
    return this.#renewing;
  }

  /** A place that is away is no reason to stop: nobody else can take the lock meanwhile. */
  async #renew(): Promise<void> {
    if (!this.#timer) return;
    let taker: string | undefined;
    try {
      taker = await this.#place.renew();
      this.#renewedAt = Date.now();
    } catch {
      return;
    }
    if (taker === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    const how = taker === '' ? 'removed' : `taken by ${taker}`;
    this.#options.onLost(`the lock ${this.#options.name} was ${how}; this run stops`);
  }

  #whatIsAwaited(found: FoundLock): string {
    const { name, wait } = this.#options;
    if (wait) return `waiting for the lock ${name}: ${heldBy(found)}`;
    const seconds = Math.ceil(this.#times.expiry / 1000);
    return `${name} is locked by ${found.holder}; looking for up to ${seconds} s whether that run is alive`;
  }

  #refusal(found: FoundLock): ReeveError {
    return new ReeveError('locked', `${this.#options.name} is locked by ${heldBy(found)}`, {
      hint: 'wait until that run has ended, or say --lock-wait 10m; a lock whose run died expires by itself',
      exitCode: EXIT.refused,
    });
  }

  #pause(): Promise<void> {
    return interruptibleSleep(this.#options.signal, this.#times.look);
  }
}

export function heldBy({ holder, since }: FoundLock): string {
  return since === '' ? holder : `${holder} since ${since}`;
}
