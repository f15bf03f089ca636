import type { ErrorObject } from 'ajv';
import type { Diagnostic } from '../../errors.ts';
import { type Located, Raw, Sealed } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import { compileSchema } from './ajv.ts';
import { collapseErrors } from './collapse.ts';
import { explainSchemaError, type SchemaSubject } from './explain.ts';
import { surelyFits } from './fits.ts';

/**
 * Checks a value against a schema, before or after its templates are rendered.
 *
 * `subject.templates` is the authoring check: text that holds a template is accepted wherever something else than text
 * belongs. Returns the value with defaults filled in (a copy; the given one is never changed) and one diagnostic for
 * each thing that is wrong, placed at the key or value it is about.
 */
export function checkValue(
  schema: JsonSchema,
  value: unknown,
  at: Pick<Located, 'document' | 'path'>,
  subject: SchemaSubject,
): { value: unknown; diagnostics: Diagnostic[] } {
  const templates = subject.templates ?? false;
  const easy = plainCopy(value);
  if (surelyFits(schema, easy, templates)) return { value: easy, diagnostics: [] };
  // A new one: some defaults are in the other already.
  const copy = plainCopy(value);
  const validate = compileSchema(schema);
  if (validate(copy)) return { value: copy, diagnostics: [] };
  const errors = collapseErrors((validate.errors ?? []) as ErrorObject[], templates);
  return { value: copy, diagnostics: errors.map((error) => explainSchemaError(error, schema, at, subject)) };
}

/** Before it is opened a secret is checked like text with a template: it may become anything. */
const SEALED = '{{secret}}';

/** Mappings and lists are copied since defaults are written into them; a `!raw` text is its text. */
function plainCopy(value: unknown): unknown {
  if (value instanceof Raw) return value.text;
  if (value instanceof Sealed) return SEALED;
  if (Array.isArray(value)) return value.map(plainCopy);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainCopy(item)]));
  }
  return value;
}
