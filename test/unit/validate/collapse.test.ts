import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../runner/load/parse.ts';
import type { JsonSchema } from '../../../runner/schema-types.ts';
import { checkValue } from '../../../runner/validate/schema/check.ts';

const TEXT_OR_LIST: JsonSchema = {
  anyOf: [
    { type: 'boolean' },
    { type: 'string', minLength: 1 },
    { type: 'array', items: { anyOf: [{ type: 'boolean' }, { type: 'string', minLength: 1 }] } },
  ],
};
const KIND: JsonSchema = {
  oneOf: [
    {
      type: 'object',
      required: ['a'],
      additionalProperties: false,
      properties: { a: { type: 'string' }, n: { type: 'integer' } },
    },
    { type: 'object', required: ['b'], additionalProperties: false, properties: { b: { type: 'string' } } },
  ],
};

function messages(schema: JsonSchema, yaml: string, templates = false): string[] {
  const document = parseDocument(yaml, 'f');
  const { diagnostics } = checkValue(
    schema,
    document.value,
    { document, path: [] },
    { name: 'it', member: 'key', templates },
  );
  return diagnostics.map(({ message, place }) => `${place?.line}:${place?.column} ${message}`);
}

describe('one mistake is one error, whatever the schema looks like', () => {
  it.each([
    ['none of several types', TEXT_OR_LIST, '1', ['1:1 it must be true or false, text or a list, not the number 1']],
    [
      'the branch of the right type',
      TEXT_OR_LIST,
      '""',
      ['1:1 it must be text of at least 1 character, not the text ""'],
    ],
    [
      'every bad item of a list, each by itself',
      TEXT_OR_LIST,
      '["", { a: 1 }, ok, 2]',
      [
        '1:2 `[0]` must be text of at least 1 character, not the text ""',
        '1:6 `[1]` must be true or false or text, not a mapping',
        '1:20 `[3]` must be true or false or text, not the number 2',
      ],
    ],
    [
      'the branch with the fewest mistakes',
      KIND,
      '{ a: x, n: y }',
      ['1:12 `n` must be a whole number, not the text "y"'],
    ],
  ])('%s', (_name, schema, yaml, expected) => {
    expect(messages(schema as JsonSchema, yaml as string).sort()).toEqual((expected as string[]).sort());
  });

  it('templates satisfy a union, and other mistakes beside them stay', () => {
    expect(messages(KIND, '{ a: x, n: "{{ y }}" }', true)).toEqual([]);
    expect(messages(KIND, '{ a: x, n: "{{ y }}" }')).toHaveLength(1);
    expect(messages(TEXT_OR_LIST, '["{{ x }}", 2]', true)).toHaveLength(1);
  });
});
