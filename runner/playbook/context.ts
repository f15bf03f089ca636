import type { Diagnostic, Place } from '../errors.ts';
import { ReeveError } from '../errors.ts';
import type { Document, Path } from '../load/document.ts';
import type { Opener } from '../load/opener.ts';
import type { Registry } from './registry.ts';

/** A place in a document that something is read from. */
export interface Spot {
  readonly document: Document;
  readonly path: Path;
}

/** One include on the way to the file being read. */
export interface IncludeLink {
  file: string;
  place: Place;
}

/** What all parts of one parse share. */
export class ParseContext {
  readonly registry: Registry;
  /** Opens included files that are encrypted. */
  readonly opener: Opener | undefined;
  readonly diagnostics: Diagnostic[] = [];
  /** Tasks files by absolute path; each is read once. */
  readonly documents = new Map<string, Document>();
  /** Steps made so far, those of included files counted each time. */
  steps = 0;

  constructor(registry: Registry, opener?: Opener) {
    this.registry = registry;
    this.opener = opener;
  }

  error(code: string, message: string, place: Place, more: Pick<Diagnostic, 'hint' | 'related'> = {}): void {
    this.diagnostics.push({ code, severity: 'error', message, place, ...more });
  }

  /** Records a mistake that another part threw; anything else is thrown on. */
  caught(error: unknown): void {
    this.diagnostics.push(diagnosticOf(error));
  }
}

/** A ReeveError as a diagnostic; anything else is thrown on. */
export function diagnosticOf(error: unknown): Diagnostic {
  if (!(error instanceof ReeveError)) throw error;
  const { code, message, place, hint, related } = error;
  return {
    code,
    severity: 'error',
    message,
    ...(place ? { place } : {}),
    ...(hint === undefined ? {} : { hint }),
    ...(related ? { related } : {}),
  };
}

/** The spot one or more steps further down. */
export function inside(spot: Spot, ...steps: (string | number)[]): Spot {
  return { document: spot.document, path: [...spot.path, ...steps] };
}

/** The place of a spot; of its key with `key`. */
export function placeOf(spot: Spot, of: 'key' | 'value' = 'value'): Place {
  return spot.document.place(spot.path, of);
}

const spots = new WeakMap<object, Spot>();

/** Keeps where a play or step was written; gives it back. */
export function remember<T extends object>(part: T, spot: Spot): T {
  spots.set(part, spot);
  return part;
}

/** Where a play or step of a parsed playbook was written. */
export function spotOf(part: object): Spot {
  const spot = spots.get(part);
  if (!spot) throw new TypeError('this part of a playbook was not made by parsePlaybook');
  return spot;
}
