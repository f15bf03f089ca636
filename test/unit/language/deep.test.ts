import { describe, expect, it } from 'vitest';
import type { ReeveError } from '../../../runner/errors.ts';
import { compileDeep, renderDeep } from '../../../runner/language/deep.ts';
import { Raw } from '../../../runner/language/raw.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { textSomewhereIn } from '../../../runner/language/text-place.ts';

const located: (readonly (string | number)[])[] = [];
const locate = (path: readonly (string | number)[]) => {
  located.push(path);
  return textSomewhereIn({ file: path.join('/'), line: 1, column: 1 });
};
const scope = layeredScope([{ name: 'web', port: 80 }]);

describe('compileDeep', () => {
  it('renders every string at any depth, but no keys', () => {
    const value = { '{{name}}': 'x', a: { b: ['{{port}}', 1, null, true] }, c: 'v{{port}}' };
    expect(renderDeep(value, scope, locate)).toEqual({ '{{name}}': 'x', a: { b: [80, 1, null, true] }, c: 'v80' });
  });

  it('a value without templates is not walked again', () => {
    const compiled = compileDeep({ a: ['x', { b: 1 }], raw: new Raw('{{.x}}') }, locate);
    expect(compiled.isStatic).toBe(true);
    expect(compiled.render(scope)).toEqual({ a: ['x', { b: 1 }], raw: '{{.x}}' });
    expect(compiled.render(scope)).toBe(compiled.render(scope));
  });

  it('static parts of a value are shared between renderings', () => {
    const compiled = compileDeep({ still: { a: 1 }, name: '{{name}}' }, locate);
    const [one, two] = [compiled.render(scope), compiled.render(scope)] as Record<string, unknown>[];
    expect(one).not.toBe(two);
    expect(one?.still).toBe(two?.still);
  });

  it('raw strings stay, by value and by path', () => {
    const value = { a: new Raw('{{.x}}'), b: '{{.y}}', c: '{{name}}' };
    const compiled = compileDeep(value, locate, (path) => path[0] === 'b');
    expect(compiled.render(scope)).toEqual({ a: '{{.x}}', b: '{{.y}}', c: 'web' });
  });

  it('places and references come from the string they are in', () => {
    located.length = 0;
    const compiled = compileDeep({ a: ['{{name}}', { b: '{{default port 1}}' }] }, locate);
    expect(located).toEqual([
      ['a', 0],
      ['a', 1, 'b'],
    ]);
    expect(compiled.references).toMatchObject([
      { path: ['name'], optional: false, place: { file: 'a/0' } },
      { path: ['port'], optional: true, place: { file: 'a/1/b' } },
    ]);
  });

  it('collects every mistake when asked', () => {
    const errors: ReeveError[] = [];
    const value = { a: '{{a', b: 'ok', c: ['{{nohelper b}}'] };
    compileDeep(value, locate, undefined, (error) => errors.push(error));
    expect(errors.map((error) => [error.code, error.place?.file])).toEqual([
      ['template-syntax', 'a'],
      ['unknown-helper', 'c/0'],
    ]);
    expect(() => compileDeep(value, locate)).toThrow('never closed');
  });

  it('a key of any name stays a key', () => {
    const value = JSON.parse('{"__proto__": {"a": "{{name}}"}}');
    expect(JSON.stringify(renderDeep(value, scope, locate))).toBe('{"__proto__":{"a":"web"}}');
  });
});
