import { ReeveError } from '../../../runner/errors.ts';
import { compileExpression } from '../../../runner/language/expression.ts';
import { type Layer, layeredScope } from '../../../runner/language/scope.ts';
import { compileTemplate } from '../../../runner/language/template.ts';
import { type TextPlace, textStartingAt } from '../../../runner/language/text-place.ts';

/** The text stands alone in its file, so line and column are those within the text. */
export function alone(text: string): TextPlace {
  return textStartingAt({ file: 'play.yaml', line: 1, column: 1 }, text);
}

export function render(text: string, ...layers: Layer[]): unknown {
  return compileTemplate(text, alone(text)).render(layeredScope(layers));
}

export function evaluate(text: string, ...layers: Layer[]): unknown {
  return compileExpression(text, alone(text)).evaluate(layeredScope(layers));
}

export interface Failure {
  code: string;
  message: string;
  hint: string;
  /** `line:column` within the text. */
  at: string;
}

/** The ReeveError that `action` throws, in a form that is easy to compare; any other outcome fails the test. */
export function failureOf(action: () => unknown): Failure {
  try {
    const value = action();
    throw new Error(`no error, but ${JSON.stringify(value)}`);
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    const at = error.place ? `${error.place.line}:${error.place.column}` : 'nowhere';
    return { code: error.code, message: error.message, hint: error.hint ?? '', at };
  }
}
