import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../../runner/errors.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { parseSimpleYaml } from '../../../runner/load/simple-yaml.ts';

const VALUES = [
  '',
  'text',
  'two words',
  '12',
  '0',
  '007',
  '1.5',
  '10.0.0.1',
  '1.30.2+k3s1',
  'yes',
  'true',
  'False',
  'null',
  '"q # x"',
  "'s'",
  'a-b',
  '/etc/x',
  'x # c',
  'y',
  '1e3',
  '0x1f',
  '12:30',
  '~',
  '.5',
  'a: b',
  '2024-01-02',
  '[a]',
  '{{ x }}',
  '-1',
  'k#c',
  '"a" b',
  'ünï',
  '- x',
  'a,b',
];
const KEYS = ['a', 'b_1', 'c.d', 'e-f', 'yes', '10.0.0.1', 'g h', '"i"', 'null', '__proto__', '1', '<<', '?'];

const line = fc.record({
  indent: fc.constantFrom(0, 0, 2, 2, 4, 1),
  key: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...KEYS.slice(0, 6)) }, fc.constantFrom(...KEYS)),
  value: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...VALUES.slice(0, 9)) }, fc.constantFrom(...VALUES)),
  after: fc.constantFrom('', '', '', ' ', '\n', '\n# comment', ' # c', '\n  '),
});
const yaml = fc
  .array(line, { maxLength: 8 })
  .map((lines) =>
    lines
      .map(
        ({ indent, key, value, after }) => `${' '.repeat(indent)}${key}:${value === '' ? '' : ` ${value}`}${after}\n`,
      )
      .join(''),
  );

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

/** Where there is nothing, its column says nothing. */
const spot = ({ line: row, column }: Place, isEmpty: boolean) => (isEmpty ? `${row}` : `${row}:${column}`);

function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
}

describe.each(['1.1', '1.2'] as const)('the fast way and the parser agree, YAML %s', (version) => {
  it('on values and places of whatever the fast way takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(yaml, (text) => {
        const fast = parseSimpleYaml(text, 'f');
        if (!fast) return;
        taken++;
        const slow = parseDocument(text, 'f', { yaml: version });
        expect(fast.value).toEqual(slow.value);
        for (const path of pathsOf(slow.value)) {
          const isEmpty = valueAt(slow.value, path) === null;
          const same = (one: Place, other: Place) => expect(spot(one, isEmpty)).toBe(spot(other, isEmpty));
          same(fast.place(path, 'key'), slow.place(path, 'key'));
          same(fast.place(path), slow.place(path));
          same(fast.place([...path, 'nowhere']), slow.place([...path, 'nowhere']));
          const [one, other] = [fast.textPlace(path), slow.textPlace(path)];
          for (const offset of [0, 1, 99]) same(one.placeAt(offset), other.placeAt(offset));
        }
      }),
      { numRuns: 3000 },
    );
    // Around a hundred of them, by chance: enough that this says something.
    expect(taken).toBeGreaterThan(20);
  });
});

it.each([
  'a: &x 1\n',
  'a: *x\n',
  'a: !t x\n',
  'a: |\n  x\n',
  'a: [1]\n',
  '- a\n',
  'a: 1\na: 2\n',
  '---\na: 1\n',
  'a: "x\\n"\n',
  '\ta: 1\n',
  'a: {{ x }}\n',
  '',
  '# nothing\n',
])('leaves %j to the parser', (text) => expect(parseSimpleYaml(text, 'f')).toBeUndefined());
