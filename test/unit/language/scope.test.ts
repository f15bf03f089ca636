import { describe, expect, it } from 'vitest';
import { Definition } from '../../../runner/language/definition.ts';
import { Raw } from '../../../runner/language/raw.ts';
import { type LayeredScope, layeredScope, lazyMapping } from '../../../runner/language/scope.ts';
import { textStartingAt } from '../../../runner/language/text-place.ts';
import { Unknown } from '../../../runner/language/unknown.ts';
import { failureOf } from './support.ts';

function define(value: unknown, line = 1): Definition {
  const where = { file: 'vars.yaml', line, column: 1 };
  return new Definition({ value, where, origin: 'vars.yaml', locate: () => textStartingAt(where, '') });
}

describe('layers', () => {
  it('the strongest layer that has a name gives its value', () => {
    const scope = layeredScope([{ a: 1 }, { a: 2, b: 3 }]);
    expect([scope.get('a'), scope.get('b'), scope.get('c')]).toEqual([1, 3, undefined]);
    expect([scope.has('b'), scope.has('c'), scope.has('toString')]).toEqual([true, false, false]);
    expect([...scope.names()]).toEqual(['a', 'b']);
  });

  it('definitions are rendered against the whole scope', () => {
    const weak = { url: define('http://{{host}}:{{port}}'), host: define('localhost'), port: define(80) };
    const scope = layeredScope([{ host: define('web{{n}}'), n: 3 }, weak]);
    expect(scope.get('url')).toBe('http://web3:80');
    expect(scope.extend({ port: 443 }).get('url')).toBe('http://web3:443');
    expect(scope.get('url')).toBe('http://web3:80');
  });

  it('data is never rendered, nor what a definition made of data', () => {
    const scope = layeredScope([
      { register: { stdout: '{{secret}}' }, copy: define('{{register.stdout}}'), secret: 's' },
    ]);
    expect(scope.get('register')).toEqual({ stdout: '{{secret}}' });
    expect(scope.get('copy')).toBe('{{secret}}');
  });

  it('each definition is rendered once per scope', () => {
    const asked: string[] = [];
    const get = (name: string) => asked.push(name);
    const scope = layeredScope([
      { a: define('{{b}}{{b}}'), b: define('{{facts.os}}') },
      { facts: lazyMapping({ has: () => true, get, names: () => ['os'] }) },
    ]);
    expect([scope.get('a'), scope.get('b'), scope.get('a')]).toEqual(['11', 1, '11']);
    expect(asked).toEqual(['os']);
  });

  it('values keep their type, raw strings their text and unknown leaves stay', () => {
    const unknown = new Unknown('later');
    const scope = layeredScope([
      { a: define({ port: '{{n}}', raw: new Raw('{{.Names}}'), list: ['{{u}}', 'x'] }), n: 8080, u: unknown },
    ]);
    expect(scope.get('a')).toEqual({ port: 8080, raw: '{{.Names}}', list: [unknown, 'x'] });
  });

  it('vars is the scope itself, unless a layer defines it', () => {
    expect(layeredScope([{ vars: { a: 2 }, a: 1 }]).get('vars')).toEqual({ a: 2 });
    const scope = layeredScope([{ a: define('{{vars.b}}'), b: 1 }]);
    expect(scope.get('a')).toBe(1);
    expect([...scope.names()]).toEqual(['a', 'b']);
  });
});

describe('mistakes', () => {
  it('a cycle lists where each of its variables is defined', () => {
    const scope = layeredScope([{ start: define('{{a}}', 1), a: define('x{{b}}', 2), b: define(['{{a}}'], 3) }]);
    expect.assertions(2);
    try {
      scope.get('start');
    } catch (error) {
      expect(error).toMatchObject({ code: 'variable-cycle', place: { line: 2 } });
      expect(error).toMatchObject({
        message: 'variables that need each other have no value: a → b → a',
        related: [{ place: { file: 'vars.yaml', line: 2 } }, { place: { file: 'vars.yaml', line: 3 } }],
      });
    }
  });

  it('a cycle through two hosts is found', () => {
    const hosts: Record<string, LayeredScope> = {};
    hosts.one = layeredScope([{ x: define('{{hosts.two.y}}') }, { hosts }]);
    hosts.two = layeredScope([{ y: define('{{hosts.one.x}}') }, { hosts }]);
    expect(failureOf(() => hosts.one?.get('x')).message).toContain('x → y → x');
  });

  it('a variable that shadows itself is a cycle, not a guess', () => {
    const scope = layeredScope([{ path: define('{{path}}:/opt') }, { path: '/bin' }]);
    expect(failureOf(() => scope.get('path')).message).toContain('path → path');
  });

  it('after an error the scope works on', () => {
    const scope = layeredScope([{ a: define('{{missing}}'), b: define('{{c}}'), c: 1 }]);
    expect(failureOf(() => scope.get('a'))).toMatchObject({ code: 'undefined-variable' });
    expect(failureOf(() => scope.get('a'))).toMatchObject({ code: 'undefined-variable' });
    expect(scope.get('b')).toBe(1);
  });

  it('points into the definition, not at its use', () => {
    const scope = layeredScope([{ a: define('x{{missing}}', 7) }]);
    expect(failureOf(() => scope.get('a')).at).toBe('7:1');
  });
});

describe('many hosts', () => {
  it('share definitions and compile each once', () => {
    const shared = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`v${index}`, define(`{{name}}-${index}`)]),
    );
    const scopes = Array.from({ length: 1000 }, (_, index) => layeredScope([{ name: `h${index}` }, shared]));
    expect(scopes.map((scope) => scope.get('v7'))).toEqual(scopes.map((_, index) => `h${index}-7`));
    expect(shared.v7?.compiled).toBe(shared.v7?.compiled);
  });
});
