import type { JsonSchema } from '../../schema-types.ts';

/** Text with a template in it: before rendering it stands for a value of any type. */
const TEMPLATE: JsonSchema = { type: 'string', pattern: '\\{\\{' };

/**
 * The schema of a value as it is written: wherever something else than plain text belongs, text with a template may
 * stand as well. Descriptions stay on the outside, where editors look for them.
 */
export function authoringSchema(schema: JsonSchema): JsonSchema {
  const inner = withInnerTemplates(schema);
  if (takesAnyText(schema)) return inner;
  const { description, default: fallback, ...rest } = inner;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [...(rest.anyOf && Object.keys(rest).length === 1 ? rest.anyOf : [rest]), TEMPLATE],
  };
}

/** The schema of a mapping that is itself written out: only what is in it may be a template. */
export function withInnerTemplates(schema: JsonSchema): JsonSchema {
  const result: JsonSchema = { ...schema };
  if (schema.properties) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, authoringSchema(property)]),
    );
  }
  if (schema.items) result.items = authoringSchema(schema.items);
  if (typeof schema.additionalProperties === 'object') {
    result.additionalProperties = authoringSchema(schema.additionalProperties);
  }
  if (schema.anyOf) result.anyOf = schema.anyOf.map(withInnerTemplates);
  if (schema.oneOf) result.oneOf = schema.oneOf.map(withInnerTemplates);
  return result;
}

/** True when the schema accepts every text already. */
function takesAnyText(schema: JsonSchema): boolean {
  if (schema.enum || schema.const !== undefined || schema.pattern || schema.format) return false;
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return branches.some(takesAnyText);
  if (schema.type === undefined) return true;
  return schema.type === 'string' || (Array.isArray(schema.type) && schema.type.includes('string'));
}
