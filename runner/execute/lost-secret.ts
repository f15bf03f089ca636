import { EXIT, ReeveError } from '../errors.ts';
import { MASK } from '../journal/masker.ts';
import { Sealed } from '../language/sealed.ts';

/**
 * A value that a journal has only masked. Whoever uses it gets an error: a mask must never reach a host, and no condition
 * may be decided by one.
 */
export class LostSecret extends Sealed {
  readonly #what: string;

  /** @param what for people: `first.stdout`. */
  constructor(what: string) {
    super();
    this.#what = what;
  }

  open(): never {
    const name = this.#what.split('.', 1)[0];
    throw new ReeveError(
      'secret-not-recorded',
      `${this.#what} is not known any more: it held a secret, and the journal of a run keeps none`,
      {
        hint: `give it again: \`reeve resume RUN -e ${name}=VALUE\` (a mapping as JSON) stands for all of ${name}`,
        exitCode: EXIT.taskFailed,
      },
    );
  }

  /** What an event shows: once more a mask, which a later resume takes for lost again. */
  toJSON(): unknown {
    return MASK;
  }
}

/** The value with everything that is masked in it marked as lost; a mapping with a masked key is lost as a whole. */
export function withoutMasks(value: unknown, what: string): unknown {
  if (typeof value === 'string') return value.includes(MASK) ? new LostSecret(what) : value;
  if (Array.isArray(value)) return value.map((item, index) => withoutMasks(item, `${what}[${index}]`));
  if (value === null || typeof value !== 'object' || value instanceof Sealed) return value;
  if (Object.keys(value).some((key) => key.includes(MASK))) return new LostSecret(what);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMasks(item, `${what}.${key}`)]));
}

/** Whether something in it is masked. */
export function holdsMask(value: unknown): boolean {
  return value !== undefined && JSON.stringify(value).includes(MASK);
}
