import { Optional } from '@marcbachmann/cel-js';
import { isMapping, toPlain } from './access.ts';
import { BoundedCache } from './bounded-cache.ts';
import { compileNode, type EvaluateNode, notBoolean } from './expression-compile.ts';
import { checkTypes, parseExpression } from './expression-parse.ts';
import { collectReferences } from './expression-references.ts';
import { Fault, placingFaults } from './fault.ts';
import type { Scope } from './lazy.ts';
import type { OffsetReference, Reference } from './reference.ts';
import type { TextPlace } from './text-place.ts';
import { isUnknown, Unknown } from './unknown.ts';
import { Version } from './version.ts';

/** A CEL expression, compiled. */
export interface Expression {
  readonly text: string;
  readonly references: readonly Reference[];
  /**
   * The value as plain data (numbers, never BigInt), or an `Unknown` when it depends on a value that is not known yet.
   * @throws ReeveError `undefined-variable` or `expression-value` with a place; what resolving a name throws.
   */
  evaluate(scope: Scope): unknown;
  /**
   * The value of a condition (`when`, `until`, `failed_when`, …).
   * @throws ReeveError `expression-value` also when it is neither true nor false.
   */
  evaluateCondition(scope: Scope): boolean | Unknown;
}

interface CompiledText {
  references: OffsetReference[];
  evaluate: EvaluateNode;
}

const MAX_CACHED = 10_000;
const cache = new BoundedCache<CompiledText>(MAX_CACHED);

/**
 * @param at where the text stands, for errors and references.
 * @throws ReeveError `expression-syntax`, `expression-value` (types that can never fit) or `unknown-function` with a
 * place inside the text.
 */
export function compileExpression(text: string, at: TextPlace): Expression {
  return new CompiledExpression(
    text,
    at,
    placingFaults(at, () => cache.getOrMake(text, () => compileText(text))),
  );
}

/** Evaluates a condition: true, false or Unknown; everything else is an error. */
export function evaluateCondition(expression: Expression, scope: Scope): boolean | Unknown {
  return expression.evaluateCondition(scope);
}

function compileText(text: string): CompiledText {
  try {
    const parsed = parseExpression(text);
    const compiled = { evaluate: compileNode(parsed.ast), references: collectReferences(parsed.ast) };
    checkTypes(parsed);
    return compiled;
  } catch (error) {
    // the parser descends once for each `!`, `-` and bracket
    if (error instanceof RangeError) throw new Fault('expression-syntax', 0, 'this condition is nested too deeply');
    throw error;
  }
}

class CompiledExpression implements Expression {
  readonly text: string;
  readonly #at: TextPlace;
  readonly #compiled: CompiledText;

  constructor(text: string, at: TextPlace, compiled: CompiledText) {
    this.text = text;
    this.#at = at;
    this.#compiled = compiled;
  }

  get references(): readonly Reference[] {
    return this.#compiled.references.map(({ path, optional, offset }) => ({
      path,
      optional,
      place: this.#at.placeAt(offset),
    }));
  }

  evaluate(scope: Scope): unknown {
    return placingFaults(this.#at, () => toData(this.#compiled.evaluate({ scope, locals: undefined })));
  }

  evaluateCondition(scope: Scope): boolean | Unknown {
    const value = this.evaluate(scope);
    if (typeof value === 'boolean' || isUnknown(value)) return value;
    return placingFaults(this.#at, () => {
      throw notBoolean(value, 0, 'a condition');
    });
  }
}

/** CEL's own kinds of values as the data that YAML and JSON know: BigInt as number, times and versions as text. */
function toData(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || value instanceof Unknown) return value;
  if (Array.isArray(value)) return value.map(toData);
  const plain = toPlain(value);
  if (isMapping(plain)) return Object.fromEntries(Object.entries(plain).map(([key, child]) => [key, toData(child)]));
  if (plain instanceof Optional) return plain.hasValue() ? toData(plain.value()) : null;
  if (plain instanceof Version) return plain.text;
  if (plain instanceof Date) return plain.toISOString();
  if (plain instanceof Uint8Array) return Buffer.from(plain).toString('utf8');
  // what is left are unsigned integers, durations (`90s`, which parseDuration reads) and types
  const inner = plain === null || plain === undefined ? null : plain.valueOf();
  return typeof inner === 'bigint' ? Number(inner) : String(plain).replace(/^Type<(.*)>$/, '$1');
}

/** Conditions that must all be true, as one text that means the same. */
export function allOf(conditions: readonly Pick<Expression, 'text'>[]): string {
  const texts = conditions.map(({ text }) => text.trim());
  // What binds less than && does.
  return texts.length === 1 ? texts[0]! : texts.map((text) => (/\|\||\?/.test(text) ? `(${text})` : text)).join(' && ');
}
