import { createRequire } from 'node:module';
import type { Ajv, ValidateFunction } from 'ajv';
import { parseDuration } from '../../language/duration.ts';
import type { JsonSchema } from '../../schema-types.ts';

/** Both packages are loaded when there is something to explain: most commands never need them. */
const load = createRequire(import.meta.url);

let instance: Ajv | undefined;
const compiled = new WeakMap<object, ValidateFunction>();

/**
 * The compiled form of a schema, made when first needed and kept. It fills in defaults, coerces nothing, and reports
 * all errors, each with its data and schema. Throws a plain Error when the schema itself is wrong: that is a fault of
 * the module, not of the user.
 */
export function compileSchema(schema: JsonSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const validate = ajv().compile(schema);
  compiled.set(schema, validate);
  return validate;
}

/** Throws a plain Error, whose message says why, when a schema that a user wrote is none. */
export function assertSchema(schema: JsonSchema): void {
  const valid = ajv().validateSchema(schema);
  if (valid !== true) throw new Error(ajv().errorsText(ajv().errors, { dataVar: 'it' }));
  compileSchema(schema);
}

function ajv(): Ajv {
  if (instance) return instance;
  const { Ajv: Validator } = load('ajv') as typeof import('ajv');
  instance = new Validator({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    // `secret`, `prompt` and whatever a module adds for its docs are not ours to refuse.
    strictSchema: false,
    addUsedSchema: false,
    // Reading the meta-schema takes longer than all of ours; those that users write go through assertSchema.
    validateSchema: false,
  });
  // The package is CommonJS whose export is the function itself.
  const formats = load('ajv-formats') as unknown as (ajv: Ajv) => void;
  formats(instance);
  // ISO 8601's, of which nobody here would think.
  instance.addFormat('duration', isDuration);
  return instance;
}

function isDuration(text: string): boolean {
  try {
    parseDuration(text);
    return true;
  } catch {
    return false;
  }
}
