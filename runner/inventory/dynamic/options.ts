import { EXIT, InvalidError, ReeveError } from '../../errors.ts';
import { isMapping, toPlain } from '../../language/access.ts';
import { parseDuration } from '../../language/duration.ts';
import { type Document, Sealed } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import { checkValue } from '../../validate/schema/check.ts';

/** Options that every plugin that asks somebody has. */
export const ASKING_OPTIONS = {
  plugin: { type: 'string', description: 'Name of the plugin.' },
  deadline: { type: ['string', 'number'], description: 'Time for all requests together; default 30s.' },
  cache: { type: ['string', 'number'], description: 'How long an answer is kept, such as 10m; default: not at all.' },
  vars: { type: 'object', description: 'Variables of all its hosts.' },
} satisfies Record<string, JsonSchema>;

/**
 * The options of a plugin's file. A secret among them is opened; one within an option, such as `vars`, stays closed.
 * @throws InvalidError with everything that is wrong with them.
 */
export function pluginOptions<T>(
  document: Document,
  properties: Record<string, JsonSchema>,
  required: string[] = [],
): T {
  const schema: JsonSchema = { type: 'object', additionalProperties: false, required, properties };
  const subject = { name: 'the plugin', member: 'option' } as const;
  const { value, diagnostics } = checkValue(schema, document.value, { document, path: [] }, subject as never);
  if (diagnostics.length > 0) throw new InvalidError(diagnostics);
  const options = withSealed(value, document.value) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(options).map(([name, item]) => [name, opened(item)])) as T;
}

/** Checking leaves a sign where a secret stands: puts the secrets back. */
function withSealed(checked: unknown, written: unknown): unknown {
  if (written instanceof Sealed) return written;
  if (Array.isArray(checked) && Array.isArray(written))
    return checked.map((item, index) => withSealed(item, written[index]));
  if (!isMapping(checked) || !isMapping(written)) return checked;
  return Object.fromEntries(Object.entries(checked).map(([key, item]) => [key, withSealed(item, written[key])]));
}

function opened(value: unknown): unknown {
  return value instanceof Sealed ? toPlain(value) : value;
}

/** Milliseconds of a duration among the options. */
export function durationOption(document: Document, name: string, value: unknown, fallback: number): number {
  return value === undefined ? fallback : parseDuration(value, document.place([name]));
}

/** What a plugin could not do, at the place of its file. */
export function pluginError(document: Document, message: string, hint?: string, option?: string): ReeveError {
  return new ReeveError('inventory-plugin', message, {
    place: document.place(option === undefined ? ['plugin'] : [option]),
    hint,
    exitCode: EXIT.invalid,
  });
}
