import type { JsonSchema } from '../../schema-types.ts';

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'null',
};

/** What a schema expects, as the end of a sentence: «a whole number of at least 1», «one of a, b», «text or a list». */
export function describeSchema(schema: JsonSchema): string {
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches) return joinOr(branches.map(describeSchema));
  if (schema.enum)
    return schema.enum.length === 1 ? valueText(schema.enum[0]) : `one of ${schema.enum.map(valueText).join(', ')}`;
  if (schema.const !== undefined) return valueText(schema.const);
  if (Array.isArray(schema.type)) return joinOr(schema.type.map((type: string) => TYPES[type] ?? type));
  const type = schema.type as string | undefined;
  if (type === 'array' && schema.items && (schema.items.type || schema.items.enum)) {
    return `a list (each item ${describeSchema(schema.items)})`;
  }
  if (type === 'string' && schema.format === 'duration') return 'a duration such as 90s, 5m or 1h30m';
  if (type === 'string' && schema.format) return `text (${schema.format})`;
  return `${TYPES[type ?? ''] ?? 'a value'}${limits(schema)}`;
}

function limits(schema: JsonSchema): string {
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return ` from ${schema.minimum} to ${schema.maximum}`;
  if (schema.minimum !== undefined) return ` of at least ${schema.minimum}`;
  if (schema.maximum !== undefined) return ` of at most ${schema.maximum}`;
  return '';
}

/** A value as a message shows it: the type is plain, and it is short. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return `the text ${shorten(JSON.stringify(value))}`;
  if (typeof value === 'number') return `the number ${value}`;
  return `${value}`;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 56)}…"` : text;
}

function joinOr(parts: string[]): string {
  const unique = [...new Set(parts)];
  return unique.length < 2 ? (unique[0] ?? 'a value') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1)}`;
}
