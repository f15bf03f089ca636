import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReeveError } from '../../../runner/errors.ts';
import { BoundedCache } from '../../../runner/language/bounded-cache.ts';
import { compileExpression } from '../../../runner/language/expression.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { compileTemplate } from '../../../runner/language/template.ts';
import { Unknown } from '../../../runner/language/unknown.ts';
import { tries } from '../../support/size.ts';

const scope = layeredScope([
  { a: 1, name: 'web', list: ['x', { b: null }], map: { k: [1], 'k-2': true }, nothing: null, u: new Unknown('later') },
]);

const templatePieces = [
  ...[
    '{{',
    '}}',
    '{{{',
    '}}}',
    '{{#if ',
    '{{/if}}',
    '{{#each ',
    '{{/each}}',
    '{{else}}',
    '{{#with ',
    '{{/with}}',
    '{{!',
    '--}}',
  ],
  ...[
    'a',
    'name',
    'list',
    'map',
    'nothing',
    'u',
    'this',
    '../',
    '@index',
    '@root.',
    '.',
    '[',
    ']',
    '[0]',
    '["k"]',
    '(',
    ')',
  ],
  ...[
    'join ',
    'json ',
    'default ',
    'quote ',
    'lookup ',
    'or ',
    ' ',
    '\n',
    '\r\n',
    '|',
    ' as |x|',
    '~',
    '&',
    '^',
    '>',
    '*',
    '#',
    '/',
  ],
  ...[
    '"',
    "'",
    '\\',
    '=',
    '-',
    '$',
    '{%',
    '%}',
    'é',
    '😀',
    'true',
    'null',
    'undefined',
    '12',
    '-1.5',
    '__proto__',
    'constructor',
  ],
];
const expressionPieces = [
  ...[
    'a',
    'name',
    'list',
    'map',
    'nothing',
    'u',
    'vars',
    'typo',
    '.',
    '.?',
    '[',
    ']',
    '[?',
    '(',
    ')',
    '{',
    '}',
    ',',
    ':',
    '?',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '==',
    '!=',
    '<',
    '>=',
    '&&',
    '||',
    '!',
    ' in ',
    ' ',
    '\n',
    '"k"',
    "'x'",
    '"',
    "'",
    '\\',
    '1',
    '2.5',
    '3u',
  ],
  ...[
    'has(',
    'size(',
    'default(',
    'defined(',
    'semver(',
    'type(',
    'string(',
    '.exists(x, ',
    '.map(x, ',
    '.size()',
    '.orValue(',
    'x',
  ],
  ...[
    'true',
    'false',
    'null',
    'int',
    'b"',
    'r"',
    '"""',
    '//',
    'é',
    '😀',
    '__proto__',
    'constructor',
    'namespace',
    'optional.of(',
  ],
];

const textOf = (pieces: string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join('')) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  );

/** Runs `action`; the only error it may end with is a ReeveError with an offset inside the text. */
function survives(
  text: string,
  action: (at: { placeAt(offset: number): { file: string; line: number; column: number } }) => void,
): void {
  const at = {
    placeAt(offset: number) {
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThanOrEqual(text.length);
      return { file: 'f', line: 1, column: offset + 1 };
    },
  };
  try {
    action(at);
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    expect(error.place).toBeDefined();
    expect(error.message).not.toMatch(/\[object|\bdyn\b|Expecting '/);
  }
}

/** The words that JavaScript puts where a value is missing or has no text must come from nowhere but the text itself. */
function isWellMade(value: unknown, source = ''): void {
  if (typeof value === 'string' && !source.includes('undefined')) expect(value).not.toMatch(/\[object |undefined/);
  expect(value).not.toBe(undefined);
  expect(['function', 'symbol', 'bigint']).not.toContain(typeof value);
}

describe('no text breaks the language', () => {
  it('templates work or throw an error with a place', () => {
    fc.assert(
      fc.property(textOf(templatePieces), (text) => {
        survives(text, (at) => {
          const template = compileTemplate(text, at);
          expect(Array.isArray(template.references)).toBe(true);
          isWellMade(template.render(scope), text);
        });
      }),
      { numRuns: tries(4000) },
    );
  });

  it('expressions work or throw an error with a place', () => {
    fc.assert(
      fc.property(textOf(expressionPieces), (text) => {
        survives(text, (at) => {
          const expression = compileExpression(text, at);
          expect(Array.isArray(expression.references)).toBe(true);
          isWellMade(expression.evaluate(scope));
        });
      }),
      { numRuns: tries(4000) },
    );
  });

  it.each([
    ['blocks', `${'{{#if a}}'.repeat(3000)}x${'{{/if}}'.repeat(3000)}`],
    ['subexpressions', `{{not ${'(not '.repeat(5000)}a${')'.repeat(5000)}}}`],
    ['open braces', '{{'.repeat(20_000)],
    ['many tags', '{{a}}'.repeat(20_000)],
    ['quotes', `{{"${'["'.repeat(2000)}`],
  ])('%s in great number', (_, text) => {
    survives(text, (at) => isWellMade(compileTemplate(text, at).render(scope)));
  });

  it.each([
    ['brackets', `${'('.repeat(10_000)}a${')'.repeat(10_000)}`],
    ['operators', `a${' + a'.repeat(2000)} > 0`],
    ['logic', `${'a == 1 && '.repeat(800)}true`],
    ['lists', `${'['.repeat(200)}1${']'.repeat(200)} == 1`],
  ])('%s in great number', (_, text) => {
    survives(text, (at) => isWellMade(compileExpression(text, at).evaluate(scope)));
  });
});

describe('rendered text', () => {
  it('is what stands around the templates, and the values as JSON would show them', () => {
    const plain = fc.string({ maxLength: 10 }).filter((text) => !/[{}\\]/.test(text));
    const value = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true }), fc.boolean());
    fc.assert(
      fc.property(plain, value, plain, (before, x, after) => {
        const at = { placeAt: () => ({ file: 'f', line: 1, column: 1 }) };
        const render = (text: string) => compileTemplate(text, at).render(layeredScope([{ x }]));
        expect(render(`${before}.{{x}}${after}`)).toBe(`${before}.${x}${after}`);
        expect(render('{{x}}')).toBe(x);
        expect(render('{{json x}}')).toBe(JSON.stringify(x));
      }),
    );
  });
});

describe('the cache of compiled forms', () => {
  it('is bounded and keeps what is in use', () => {
    const cache = new BoundedCache<string>(10);
    const made: string[] = [];
    const get = (key: string) => cache.getOrMake(key, () => made[made.push(key) - 1]!);
    for (let round = 0; round < 100; round++) {
      expect(get('hot')).toBe('hot');
      expect(get(`cold ${round}`)).toBe(`cold ${round}`);
      expect(cache.size).toBeLessThanOrEqual(10);
    }
    expect(made.filter((key) => key === 'hot')).toHaveLength(1);
    get('cold 1');
    expect(made.filter((key) => key === 'cold 1')).toHaveLength(2);
  });
});
