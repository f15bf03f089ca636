import { EvaluationError, type ParseResult } from '@marcbachmann/cel-js';
import { celEnvironment } from './cel-environment.ts';
import { explainOverload } from './expression-parse.ts';
import { Fault } from './fault.ts';

/** A value did not fit. Unlike an undefined root name, `||` and `&&` absorb it when their other side decides. */
export class ValueFault extends Fault {}

export type Delegate = (values: unknown[], offset: number) => unknown;

const delegates = new Map<string, Delegate>();

/** A piece of CEL over `_0`, `_1`, … that the library evaluates. Kept by text: there are as many as functions. */
export function delegated(source: string): Delegate {
  const known = delegates.get(source);
  if (known) return known;
  const run = celEnvironment.parse(source);
  const delegate: Delegate = (values, offset) => evaluateInLibrary(run, values, offset);
  delegates.set(source, delegate);
  return delegate;
}

function evaluateInLibrary(run: ParseResult, values: unknown[], offset: number): unknown {
  try {
    return run(contextOf(values));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    const whole = values.map((value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value));
    const isOverload = error.code === 'no_matching_overload' || error.code === 'no_such_overload';
    // numbers of data are doubles to the library; where it wants integers, whole ones are offered as such
    if (isOverload && whole.some((value, index) => value !== values[index]))
      return evaluateInLibrary(run, whole, offset);
    throw new ValueFault('expression-value', offset, explainOverload(error.summary));
  }
}

function contextOf(values: unknown[]): Record<string, unknown> {
  return Object.fromEntries(values.map((value, index) => [`_${index}`, value]));
}
