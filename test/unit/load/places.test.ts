import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { InvalidError } from '../../../runner/errors.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { tries } from '../../support/size.ts';

/** The characters of the source that the string at `path` was made of. */
function sourceOf(text: string, path: (string | number)[]): string {
  const document = parseDocument(text, 'f.yaml');
  const value = path.reduce<unknown>(
    (v, step) => (v as Record<string, unknown>)[String(step)],
    document.value,
  ) as string;
  const at = document.textPlace(path);
  const lines = text.split('\n');
  return [...value.split('').keys()]
    .map((i) => lines[at.placeAt(i).line - 1]?.[at.placeAt(i).column - 1] ?? '⏎')
    .join('');
}

describe('textPlace', () => {
  it.each([
    ['plain', 'a: hello world\n', 'hello world'],
    ['plain over lines', 'a: hello\n  world\n\n  again\n', 'hello⏎world⏎again'],
    ['single quotes', "a: 'it''s'\n", "it's"],
    ['double quotes', 'a: "x\\ty\\u0041z"\n', 'x\\y\\z'],
    ['double quotes with an escaped line break', 'a: "x\\\n   y"\n', 'xy'],
    ['double quotes folded', 'a: "x  \n   y"\n', 'x⏎y'],
    ['literal block', 'a: |\n  one\n    two\n\n  three\n', 'one⏎  two⏎⏎three⏎'],
    ['literal block with an indentation digit', 'a: |2-\n    one\n  two\n', '  one⏎two'],
    ['folded block', 'a: >-\n  one\n  two\n\n  three\n    four\n', 'one⏎two⏎three⏎  four'],
    ['block with CRLF', 'a: |\r\n  one\r\n  two\r\n', 'one\rtwo\r'],
    ['raw', 'a: !raw "{{ x }}"\n', undefined],
  ])('%s', (_name, text, expected) => {
    if (expected !== undefined)
      expect(sourceOf(text, ['a']).replaceAll('\r', '⏎')).toBe(expected.replaceAll('\r', '⏎'));
    else expect(parseDocument(text, 'f').textPlace(['a']).placeAt(3)).toMatchObject({ line: 1, column: 13 });
  });

  it('finds every character of any string, however it is written', () => {
    const styles = ['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const;
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '\n', '{', "'", '"', '\\', 'é', '😀', '\t'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(word, fc.constantFrom(...styles), fc.integer({ min: 10, max: 40 }), (value, style, lineWidth) => {
        const text = stringify({ list: [{ a: value }] }, { defaultStringType: style, lineWidth });
        const document = parseDocument(text, 'f');
        const at = document.textPlace(['list', 0, 'a']);
        const lines = text.split('\n');
        // The writer has faults of its own with blocks of nothing but white space.
        fc.pre((document.value as { list: { a: string }[] }).list[0]?.a === value);
        for (let i = 0; i < value.length; i++) {
          const place = at.placeAt(i);
          const found = lines[place.line - 1]?.[place.column - 1];
          if (/[ab{é]/.test(value[i]!)) expect(found).toBe(value[i]);
        }
      }),
      { numRuns: tries(1000) },
    );
  });
});

describe('place', () => {
  const text = 'base: &b\n  x: 1\nlist:\n  - <<: *b\n    y: [2, "three"]\n';
  const document = parseDocument(text, 'f.yaml');

  it.each([
    [['base', 'x'], 'key', 2, 3],
    [['base', 'x'], 'value', 2, 6],
    [['list', 0, 'y', 1], 'value', 5, 12],
    [['list', 0, 'x'], 'value', 2, 6],
    [['list', 0, 'nothing', 'here'], 'value', 4, 5],
    [['list'], 'key', 3, 1],
  ] as const)('%j (%s)', (path, of, line, column) => {
    expect(document.place([...path], of)).toMatchObject({ file: 'f.yaml', line, column });
  });

  it('gives the end of a value that stands on one line', () => {
    expect(document.place(['list', 0, 'y', 1])).toEqual({ file: 'f.yaml', line: 5, column: 12, endColumn: 19 });
  });
});

describe('any text', () => {
  it('gives a document or diagnostics with places inside the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '\t',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&a ',
      '*a',
      '!x ',
      '|\n',
      '>',
      '<<: ',
      '%',
      '#',
      '---\n',
      '0644',
      '{{ x }}',
      '? ',
      ',',
      '\\',
      '\0',
      '\ufeff',
      '@',
      '\r\n',
      '__proto__: ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 30 }).map((p) => p.join('')),
          fc.string(),
        ),
        (text) => {
          try {
            parseDocument(text, 'f');
          } catch (error) {
            if (!(error instanceof InvalidError)) throw error;
            expect(error.diagnostics.length).toBeGreaterThan(0);
            const lines = text.split('\n');
            for (const { place } of error.diagnostics) {
              expect(place?.line).toBeLessThanOrEqual(lines.length);
              expect(place?.column).toBeLessThanOrEqual((lines[place!.line - 1]?.length ?? 0) + 1);
            }
          }
        },
      ),
      { numRuns: tries(3000) },
    );
  });
});
