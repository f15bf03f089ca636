import { ReeveError } from '../errors.ts';
import type { Scope } from './lazy.ts';
import type { Reference } from './reference.ts';
import type { TextPlace } from './text-place.ts';

/** A CEL expression, compiled. */
export interface Expression {
  readonly text: string;
  readonly references: readonly Reference[];
  /**
   * The value as plain data (numbers, never BigInt), or an `Unknown` when it depends on a value that is not known yet.
   * @throws ReeveError `undefined-variable` or `expression-value` with a place; what resolving a name throws.
   */
  evaluate(scope: Scope): unknown;
}

/**
 * @param at where the text stands, for errors and references.
 * @throws ReeveError `expression-syntax` with a place inside the text.
 */
export function compileExpression(text: string, _at: TextPlace): Expression {
  throw new ReeveError('expression-syntax', `not yet: ${text}`);
}
