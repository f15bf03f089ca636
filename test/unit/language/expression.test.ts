import { describe, expect, it } from 'vitest';
import { allOf, compileExpression, evaluateCondition } from '../../../runner/language/expression.ts';
import { layeredScope, lazyMapping } from '../../../runner/language/scope.ts';
import { Unknown } from '../../../runner/language/unknown.ts';
import { alone, evaluate, failureOf } from './support.ts';

const names = {
  a: 1,
  ratio: 1.5,
  name: 'web',
  yes: true,
  nothing: null,
  namespace: 'default',
  list: ['x'],
  tags: ['x', 'y'],
  nums: [1, 2, 3],
  mixed: [1, 'a', null],
  hosts: { 'k3s-1': { ip: '10.0.0.1' } },
};

describe('values are plain data', () => {
  it.each([
    ['a + 1', 2],
    ['ratio + 2', 3.5],
    ['2 * ratio', 3],
    ['a / 2', 0.5],
    ['7 / 2', 3],
    ['a % 2 == 1', true],
    ['-a', -1],
    ['size(tags)', 2],
    ['tags.size() > 1', true],
    ['[1, 2.5, "x"]', [1, 2.5, 'x']],
    ['{"a": 1, "b": [size(name)]}', { a: 1, b: [3] }],
    ['int("3") + a', 4],
    ['uint(3)', 3],
    ['string(a)', '1'],
    ['name.substring(a)', 'eb'],
    ['duration("90s")', '90s'],
    ['timestamp("2024-01-01T00:00:00Z")', '2024-01-01T00:00:00.000Z'],
    ['b"ab"', 'ab'],
    ['tags + mixed', ['x', 'y', 1, 'a', null]],
    ['name + "-" + string(a)', 'web-1'],
    ['yes ? 1 : "x"', 1],
    ['hosts', names.hosts],
  ])('%s', (text, value) => {
    expect(evaluate(text, names)).toStrictEqual(value);
  });

  it.each([
    'a == 1',
    'a == 1.0',
    '1 == 1.0',
    'a < 2 && 2 > a && a <= 1.0 && ratio >= 1',
    'nums == [1, 2, 3]',
    'hosts == {"k3s-1": {"ip": "10.0.0.1"}}',
    'name != 1',
    'nothing == null',
    '"a" in mixed && 1 in mixed && null in mixed && !(2 in mixed)',
    '"k3s-1" in hosts',
    'name.startsWith("w") && name.endsWith("b") && name.contains("e") && name.matches("^w.b$")',
    'nums.exists(n, n > 2) && nums.all(n, n > 0) && nums.exists_one(n, n == 2)',
    'nums.filter(n, n > 1).map(n, n * 2) == [4, 6]',
    'nums.map(n, n > 1, n * 2) == [4, 6]',
    'hosts.all(h, hosts[h].ip.startsWith("10."))',
    'type(name) == string && type(nums) == list',
    'cel.bind(x, a + 1, x * x) == 4',
    'duration("5m") < duration("1h")',
  ])('%s is true', (text) => {
    expect(evaluate(text, names)).toBe(true);
  });
});

describe('versions', () => {
  it.each([
    'semver("v1.30.4+k3s1") < semver("v1.30.4+k3s2")',
    'semver("v1.30.4+k3s2") < semver("1.30.4+k3s10")',
    'semver("v1.9.0") < semver("v1.10.0")',
    'semver("1.31.0-rc1") < semver("1.31.0")',
    'semver("v1.30") == semver("1.30.0")',
    'semver("v1.31.5+k3s1").minor() == 31',
    'semver("1.2.3").isLessThan(semver("1.2.4"))',
    'versionCompare("v1.2.0", "v1.10.0") < 0',
    'versionCompare("v1.2.0", "1.2.0") == 0',
  ])('%s', (text) => {
    expect(evaluate(text)).toBe(true);
  });

  it('what is no version is an error', () => {
    expect(failureOf(() => evaluate('semver("latest") < semver("1.2.3")'))).toMatchObject({
      code: 'expression-value',
      message: '`latest` is not a version such as v1.31.5+k3s1',
    });
  });
});

describe('asking what is defined', () => {
  it.each([
    ['has(hosts.a)', false],
    ['has(hosts.a.b.c)', false],
    ['has(hosts["k3s-1"].ip)', true],
    ['has(nothing.a.b)', false],
    ['defined(typo)', false],
    ['defined(typo.a.b)', false],
    ['defined(name)', true],
    ['defined(hosts["k3s-1"])', true],
    ['default(typo, 5)', 5],
    ['default(typo.a.b, "d")', 'd'],
    ['default(nothing, "d")', 'd'],
    ['default(name, typo)', 'web'],
    ['default(hosts["x"].ip, "d")', 'd'],
    ['hosts.?a.?b.orValue("d")', 'd'],
    ['hosts.?a.b.c.orValue("d")', 'd'],
    ['hosts[?"k3s-1"].ip.orValue("d")', '10.0.0.1'],
    ['hosts.?a.hasValue()', false],
    ['hosts.?a.or(hosts.?b).orValue(typo == 1 ? 1 : 2)', undefined],
  ])('%s', (text, value) => {
    if (value === undefined) expect(failureOf(() => evaluate(text, names)).message).toBe('`typo` is not defined');
    else expect(evaluate(text, names)).toBe(value);
  });

  it.each([
    ['nam == "x"', '1:1', '`nam` is not defined', 'did you mean `name`?'],
    ['yes &&\n typo', '2:2', '`typo` is not defined', ''],
    ['hosts["k3s-2"].ip', '1:1', '`hosts` has no `k3s-2`', 'did you mean `k3s-1`?'],
    ['hosts["k3s-1"].op', '1:16', '`hosts["k3s-1"]` has no `op`', 'did you mean `ip`?'],
    ['tags[5]', '1:1', '`tags` has 2 items, so there is no `[5]`', ''],
    ['nothing.a', '1:9', '`nothing` is null, so it has no `a`', ''],
    ['typo.?a', '1:1', '`typo` is not defined', ''],
    ['has(typo.a)', '1:5', '`typo` is not defined', ''],
    ['hosts.constructor', '1:7', '`hosts` has no `constructor`', ''],
    ['hosts.__proto__', '1:7', '`hosts` has no `__proto__`', ''],
    ['tags.length', '1:6', '`tags` is a list', ''],
    ['constructor', '1:1', '`constructor` is not defined', ''],
  ])('%s', (text, at, message, hint) => {
    const failure = failureOf(() => evaluate(text, names));
    expect(failure).toMatchObject({ code: 'undefined-variable', at });
    expect(failure.message).toContain(message);
    expect(failure.hint).toContain(hint);
  });

  it('a missing member is absorbed as CEL says, an undefined name is not', () => {
    expect(evaluate('hosts.x.ip == "" || yes', names)).toBe(true);
    expect(evaluate('name > 1 || yes', names)).toBe(true);
    expect(evaluate('name.matches("[") && !yes', names)).toBe(false);
    expect(evaluate('yes || typo', names)).toBe(true);
    expect(failureOf(() => evaluate('typo || yes', names)).message).toBe('`typo` is not defined');
    expect(failureOf(() => evaluate('hosts.x.ip == "" || !yes', names)).message).toBe('`hosts` has no `x`');
  });
});

describe('unknown values', () => {
  const unknown = new Unknown('task "install" has not run');
  const scope = { ...names, u: unknown, partly: { known: 1, later: unknown }, pending: [1, unknown] };

  it.each([
    'u',
    'u.a.b',
    'u || false',
    'false || u',
    'u && true',
    'u || hosts.missing.x',
    '!u',
    '-u',
    'u == 1',
    'u != u',
    'u + 1',
    'partly.later == 2',
    'partly == {"known": 1}',
    'u ? 1 : 1',
    'size(u)',
    'u.size()',
    '"x" in u',
    'u in tags',
    '7 in pending',
    'u.exists(x, x)',
    'tags.map(x, x + u).exists(y, y == "z")',
    'nums.filter(n, n > u)',
    'nums.all(n, n < u)',
    'has(u.a)',
    'has(partly.later.a)',
    'defined(u.a)',
    'default(u, 1)',
    'default(u.a.b, 1)',
    'partly.?later.orValue(1)',
    'hosts[u]',
    'semver(u) < semver("1.2.3")',
    'name.startsWith(u)',
    '{u: 1}',
  ])('%s is unknown', (text) => {
    expect(evaluate(text, scope)).toBe(unknown);
  });

  it.each([
    ['u || true', true],
    ['true || u', true],
    ['u && false', false],
    ['u.a == 1 && name == "db"', false],
    ['yes ? 1 : u', 1],
    ['has(partly.later)', true],
    ['has(partly.missing)', false],
    ['defined(u)', true],
    ['partly.known', 1],
    ['size(partly)', 2],
    ['size(pending) == 2', true],
    ['1 in pending', true],
    ['nums.exists(n, n == 1 || u)', true],
    ['nums.all(n, n < 2 && u)', false],
    ['default(typo, 1)', 1],
    ['default(name, u)', 'web'],
  ])('%s does not depend on it', (text, value) => {
    expect(evaluate(text, scope)).toBe(value);
  });

  it('a list or mapping keeps the unknown leaf', () => {
    expect(evaluate('[1, u]', scope)).toEqual([1, unknown]);
    expect(evaluate('{"a": partly}', scope)).toEqual({ a: { known: 1, later: unknown } });
    expect(evaluate('tags.map(t, u)', scope)).toEqual([unknown, unknown]);
  });
});

describe('names', () => {
  it.each(['namespace', 'loop', 'package', 'list', 'map', 'int', 'type', 'string'])(
    '`%s` is told as vars.%s',
    (name) => {
      const failure = failureOf(() => evaluate(`${name}.size() > 0`, names));
      expect(failure).toMatchObject({
        code: 'expression-syntax',
        at: '1:1',
        hint: `write \`vars.${name}\` for the variable`,
      });
    },
  );

  it('vars reaches them', () => {
    expect(evaluate('vars.namespace == "default" && vars.list == ["x"] && vars.name == name', names)).toBe(true);
  });

  it('lazy mappings are read member by member', () => {
    const asked: string[] = [];
    const get = (name: string) => {
      asked.push(name);
      return { ip: name };
    };
    const hosts = lazyMapping({ has: (name) => name.startsWith('h'), get, names: () => ['h1', 'h2', 'h3'] });
    expect(evaluate('size(hosts) == 3 && "h1" in hosts && hosts["h2"].ip == "h2"', { hosts })).toBe(true);
    expect(asked).toEqual(['h2']);
    expect(evaluate('hosts.exists(h, hosts[h].ip == "h1")', { hosts })).toBe(true);
    expect(evaluate('{"all": hosts}', { hosts })).toMatchObject({ all: { h3: { ip: 'h3' } } });
  });

  it('what a lazy mapping throws is not absorbed', () => {
    const signal = { facts: 'needed' };
    const get = () => {
      throw signal;
    };
    const host = lazyMapping({ has: () => true, get, names: () => [] });
    expect(() => evaluate('host.facts.os == "x" || true', { host })).toThrow(
      expect.toSatisfy((thrown) => thrown === signal),
    );
  });
});

describe('conditions', () => {
  const condition = (text: string) => evaluateCondition(compileExpression(text, alone(text)), layeredScope([names]));

  it('are true, false or unknown', () => {
    expect(condition('name == "web"')).toBe(true);
    expect(condition('a > 1')).toBe(false);
  });

  it.each([
    ['name', 'a condition needs true or false, not a string'],
    ['a', 'a condition needs true or false, not a number'],
    ['nothing', 'a condition needs true or false, not null'],
    ['tags.filter(t, true)', 'a condition needs true or false, not a list'],
    ['hosts.?x', 'a condition needs true or false, not null'],
  ])('%s is neither', (text, message) => {
    expect(failureOf(() => condition(text))).toMatchObject({ code: 'expression-value', message, at: '1:1' });
  });
});

describe('references', () => {
  const referencesOf = (text: string) =>
    compileExpression(text, alone(text)).references.map(
      ({ path, optional, place }) => `${path.join('/')}${optional ? '?' : ''}@${place.line}:${place.column}`,
    );

  it.each([
    ['a.b["c"][0].d == e', ['a/b/c/0/d@1:1', 'e@1:18']],
    ['hosts[name].ip', ['name@1:7', 'hosts@1:1']],
    ['has(a.b.c) && defined(d.e) && default(f, g)', ['a@1:5', 'd/e?@1:23', 'f?@1:39', 'g@1:42']],
    ['a.?b.c.orValue(d)', ['a@1:1', 'd@1:16']],
    ['l.all(x, x.y == z) && x', ['l@1:1', 'z@1:17', 'x@1:23']],
    ['cel.bind(v, w, v + u)', ['w@1:13', 'u@1:20']],
    ['type(a) == string', ['a@1:6']],
    ['[a, {"k": b}, c ? d : -e,\n !f]', ['a@1:2', 'b@1:11', 'c@1:15', 'd@1:19', 'e@1:24', 'f@2:3']],
  ])('%s', (text, references) => {
    expect(referencesOf(text)).toEqual(references);
  });
});

it.each([
  [['a || b'], 'a || b'],
  [['a', 'b || c', 'd ? e : f'], 'a && (b || c) && (d ? e : f)'],
])('%j as one text means the same', (texts, expected) => {
  expect(allOf(texts.map((text) => ({ text })))).toBe(expected);
});
