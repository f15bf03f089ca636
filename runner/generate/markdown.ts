import type { JsonSchema } from '../schema-types.ts';
import { describeSchema } from '../validate/schema/describe.ts';

/** A Markdown table; empty without rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** One row for each property of a mapping, those of nested mappings after it: name, type, default, description. */
export function propertyRows(schema: JsonSchema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    [
      `\`${prefix}${name}\`${schema.required?.includes(name) ? ' (required)' : ''}`,
      describeSchema(property),
      property.default === undefined ? '' : `\`${JSON.stringify(property.default)}\``,
      `${property.description ?? ''}${property.writeOnly ? ' Secret.' : ''}`,
    ],
    ...propertyRows(property, `${prefix}${name}.`),
    ...propertyRows(property.items ?? {}, `${prefix}${name}[].`),
  ]);
}
