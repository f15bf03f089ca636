import { describe, expect, it } from 'vitest';
import { lazyMapping } from '../../../runner/language/scope.ts';
import { compileTemplate } from '../../../runner/language/template.ts';
import { containsUnknown, Unknown } from '../../../runner/language/unknown.ts';
import { alone, failureOf, render } from './support.ts';

const names = {
  name: 'web',
  port: 80,
  ratio: 0.5,
  on: true,
  nothing: null,
  empty: [],
  list: ['x', 'y'],
  hosts: { 'k3s-1': { ip: '10.0.0.1', 'dotted.name': 1 } },
  people: [
    { name: 'Ann', tags: ['p', 'q'] },
    { name: 'Bob', tags: [] },
  ],
};

describe('a string that is only one template keeps its type', () => {
  it.each([
    ['{{port}}', 80],
    ['{{ on }}', true],
    ['{{list}}', ['x', 'y']],
    ['{{hosts}}', names.hosts],
    ['{{nothing}}', null],
    ['{{{port}}}', 80],
    ['{{~port~}}', 80],
    ['{{default missing port}}', 80],
    ['{{split "a,b" ","}}', ['a', 'b']],
  ])('%s', (text, value) => {
    expect(render(text, names)).toEqual(value);
  });

  it('but text around it makes it text', () => {
    expect(render('{{port}}/tcp', names)).toBe('80/tcp');
    expect(render(' {{on}}{{ratio}}', names)).toBe(' true0.5');
  });
});

describe('strings without templates', () => {
  it.each(['', 'plain', 'a } b { c', 'a }} b', '100%', '$HOME', 'it\'s "quoted" \\ n'])('%j stays as it is', (text) => {
    const template = compileTemplate(text, alone(text));
    expect(template.isStatic).toBe(true);
    expect(template.render({ get: () => 1, has: () => true, names: () => [] })).toBe(text);
  });

  it('an escaped template and a comment need no names', () => {
    expect(compileTemplate('a \\{{b}}', alone('')).isStatic).toBe(true);
    expect(render('a \\{{b}}{{! said }}{{!-- {{more}} --}}')).toBe('a {{b}}');
  });

  it('does not escape for HTML', () => {
    expect(render('<{{x}}>', { x: '<&"\'>' })).toBe('<<&"\'>>');
  });
});

describe('paths', () => {
  it.each([
    ['{{hosts["k3s-1"].ip}}', '10.0.0.1'],
    ["{{hosts['k3s-1'].ip}}", '10.0.0.1'],
    ['{{hosts.k3s-1.ip}}', '10.0.0.1'],
    ['{{hosts.[k3s-1].ip}}', '10.0.0.1'],
    ['{{hosts["k3s-1"]["dotted.name"]}}', 1],
    ['{{list[1]}}', 'y'],
    ['{{people[0].tags[1]}}', 'q'],
    ['{{upper people[1].name}}', 'BOB'],
    ['{{lookup hosts "k3s-1" "ip"}}', '10.0.0.1'],
    ['{{lookup list 1}}', 'y'],
  ])('%s', (text, value) => {
    expect(render(text, names)).toBe(value);
  });

  it('reads lazy mappings like plain ones and gives plain data', () => {
    const asked: string[] = [];
    const get = (name: string) => {
      asked.push(name);
      return { ip: name };
    };
    const hosts = lazyMapping({ has: (name) => name.startsWith('h'), get, names: () => ['h1', 'h2'] });
    expect(render('{{hosts.h2.ip}}', { hosts })).toBe('h2');
    expect(asked).toEqual(['h2']);
    expect(render('{{hosts}}', { hosts })).toEqual({ h1: { ip: 'h1' }, h2: { ip: 'h2' } });
    expect(render('{{#each hosts}}{{@key}}={{ip}} {{/each}}', { hosts })).toBe('h1=h1 h2=h2 ');
    expect(failureOf(() => render('{{hosts.x1}}', { hosts })).message).toBe('`hosts` has no `x1`');
  });

  it('a caller can interrupt rendering from inside a lazy mapping', () => {
    const signal = { facts: 'needed' };
    const get = () => {
      throw signal;
    };
    const host = lazyMapping({ has: () => true, get, names: () => ['facts'] });
    expect(() => render('a {{host.facts.os}}', { host })).toThrow(expect.toSatisfy((thrown) => thrown === signal));
  });
});

describe('only what people defined can be reached', () => {
  it.each([
    '{{name.constructor}}',
    '{{hosts.constructor}}',
    '{{hosts.__proto__}}',
    '{{list.length}}',
    '{{list.push}}',
    '{{name.length}}',
    '{{constructor}}',
    '{{__proto__}}',
    '{{toString}}',
    '{{lookup hosts "constructor"}}',
    '{{lookup list "push"}}',
    '{{#with hosts}}{{constructor}}{{/with}}',
    '{{#each people}}{{hasOwnProperty}}{{/each}}',
  ])('%s', (text) => {
    expect(failureOf(() => render(text, names)).code).toBe('undefined-variable');
  });

  it('a key of that name in data is data', () => {
    const data = JSON.parse('{"m": {"__proto__": {"a": 1}, "constructor": 2}}') as Record<string, unknown>;
    expect(render('{{m.constructor}}{{m.__proto__.a}}', data)).toBe('21');
  });
});

describe('undefined names', () => {
  it.each([
    ['{{nam}}', '1:3', '`nam` is not defined', 'did you mean `name`?'],
    ['{{hosts["k3s-1"].op}}', '1:3', '`hosts.k3s-1` has no `op`', 'did you mean `ip`?'],
    ['{{hosts["k3s-2"].ip}}', '1:3', '`hosts` has no `k3s-2`', 'did you mean `k3s-1`?'],
    ['{{list[0]}} {{hosts["k3s-1"].ip}}\n {{bad}}', '2:4', '`bad` is not defined', 'define it in'],
    ['{{#if typo}}x{{/if}}', '1:7', '`typo` is not defined', ''],
    ['{{#each typo}}x{{/each}}', '1:9', '`typo` is not defined', ''],
    ['{{#if (eq hosts.typo 1)}}x{{/if}}', '1:11', '`hosts` has no `typo`', 'it has `k3s-1`'],
    ['{{lookup hosts "k3s-3"}}', '1:3', '`lookup` has no `k3s-3`', 'did you mean `k3s-1`?'],
    ['{{list[2]}}', '1:3', '`list` has 2 items, so there is no `[2]`', ''],
    ['{{nothing.a}}', '1:3', '`nothing` is null, so it has no `a`', ''],
    ['{{port.a.b}}', '1:3', '`port` is a number, so it has no `a`', ''],
    ['{{#each list}}{{port}}{{/each}}', '1:17', '`this` is a string, so it has no `port`', '@root.port'],
    ['{{@index}}', '1:3', '`@index` has a value inside `{{#each}}` only', ''],
  ])('%s', (text, at, message, hint) => {
    const failure = failureOf(() => render(text, names));
    expect(failure).toMatchObject({ code: 'undefined-variable', at, message });
    expect(failure.hint).toContain(hint);
  });

  it.each([
    ['{{default typo "d"}}', 'd'],
    ['{{default typo.a.b "d"}}', 'd'],
    ['{{default port.a.b "d"}}', 'd'],
    ['{{default nothing "d"}}', 'd'],
    ['{{default nothing.a "d"}}', 'd'],
    ['{{default name "d"}}', 'web'],
    ['{{default (default typo nothing) "d"}}', 'd'],
    ['{{#if (defined typo)}}y{{else}}n{{/if}}', 'n'],
    ['{{#if (defined hosts.a.b)}}y{{else}}n{{/if}}', 'n'],
    ['{{#if (defined hosts.k3s-1.ip)}}y{{else}}n{{/if}}', 'y'],
  ])('%s is no error', (text, value) => {
    expect(render(text, names)).toBe(value);
  });

  it('a name that has no value is undefined too', () => {
    expect(failureOf(() => render('{{x}}', { x: undefined })).message).toBe('`x` is not defined');
    expect(failureOf(() => render('a{{m.x}}', { m: { x: undefined } })).message).toBe('`m` has no `x`');
    expect(render('{{default x 1}}', { x: undefined })).toBe(1);
  });

  it('the fallback of default is checked', () => {
    expect(failureOf(() => render('{{default typo other}}', names)).message).toBe('`other` is not defined');
  });
});

describe('values that cannot stand in text', () => {
  it.each([
    ['a {{nothing}}', '1:3', 'null cannot stand inside text'],
    ['a\n{{list}}', '2:1', 'a list cannot stand inside text'],
    ['{{hosts}}!', '1:1', 'a mapping cannot stand inside text'],
    ['{{#if on}}{{list}}{{/if}}', '1:11', 'a list cannot stand inside text'],
  ])('%j', (text, at, message) => {
    const failure = failureOf(() => render(text, names));
    expect(failure).toMatchObject({ code: 'template-value', at, message });
    expect(failure.hint).toContain('json');
  });

  it('json puts them there', () => {
    expect(render('v={{json list}} {{json nothing}}', names)).toBe('v=["x","y"] null');
  });
});

describe('blocks', () => {
  it.each([
    ['{{#each list}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', '0x,1y'],
    ['{{#each people as |p i|}}{{i}}{{p.name}}{{name}} {{/each}}', '0AnnAnn 1BobBob '],
    [
      '{{#each people}}{{#each tags}}{{this}}{{../name}}{{@root.port}}{{@../index}} {{/each}}{{/each}}',
      'pAnn800 qAnn800 ',
    ],
    ['{{#each hosts}}{{@key}}:{{ip}}{{/each}}', 'k3s-1:10.0.0.1'],
    ['{{#each empty}}x{{else}}none{{/each}}', 'none'],
    ['{{#each people}}{{#if tags}}{{name}}{{else}}-{{../name}}{{/if}}{{/each}}', 'Ann-web'],
    ['{{#with hosts as |h|}}{{h.k3s-1.ip}}{{/with}}', '10.0.0.1'],
    ['{{#with nothing}}x{{else}}no{{/with}}', 'no'],
    [
      '{{#each people as |person|}}{{#each person.tags as |tag|}}{{person.name}}{{tag}} {{/each}}{{/each}}',
      'Annp Annq ',
    ],
    ['{{#if nothing}}a{{else if on}}b{{else}}c{{/if}}', 'b'],
    ['{{#unless empty}}none{{/unless}}', 'none'],
    ['{{#if (and on (not nothing))}}a{{/if}}', 'a'],
  ])('%s', (text, value) => {
    expect(render(text, names)).toBe(value);
  });

  it('a block alone on its line leaves no line', () => {
    expect(render('a\n{{#if on}}\nb\n{{/if}}\nc\n', names)).toBe('a\nb\nc\n');
  });

  it('each needs something to go through', () => {
    expect(failureOf(() => render('{{#each name}}x{{/each}}', names))).toMatchObject({
      code: 'template-value',
      message: '`#each` needs a list or a mapping, not a string',
    });
  });
});

describe('unknown values', () => {
  const unknown = new Unknown('task "install" has not run');
  const scope = { u: unknown, partly: { known: 1, later: unknown }, items: [1, unknown], on: true, name: 'web' };

  it.each([
    '{{u}}',
    '{{u.a.b}}',
    'v{{u}}',
    '{{partly.later.x}}',
    '{{upper u}}',
    '{{join items}}',
    '{{json partly}}',
    '{{lookup u "a"}}',
    '{{lookup partly u}}',
    '{{default u "d"}}',
    '{{#if u}}a{{else}}a{{/if}}',
    '{{#if (defined u.a)}}a{{/if}}',
    '{{#each u}}a{{/each}}',
    '{{#each items}}{{this}}{{/each}}',
    '{{#with u}}a{{/with}}',
    '{{and on u}}',
    '{{or false u}}',
    '{{not u}}',
    '{{eq u 1}}',
  ])('%s is unknown', (text) => {
    expect(render(text, scope)).toBe(unknown);
  });

  it.each([
    ['{{partly.known}}', 1],
    ['{{default name u}}', 'web'],
    ['{{or u on}}', true],
    ['{{and u false}}', false],
    ['{{#if on}}a{{else}}{{u}}{{/if}}', 'a'],
    ['{{length items}}', 2],
    ['{{first items}}', 1],
    ['{{join (keys partly)}}', 'known,later'],
  ])('%s does not depend on it', (text, value) => {
    expect(render(text, scope)).toBe(value);
  });

  it('a structure keeps the unknown leaf', () => {
    const value = render('{{partly}}', scope);
    expect(value).toEqual({ known: 1, later: unknown });
    expect(containsUnknown(value)).toBe(true);
    expect(containsUnknown({ a: [1, { b: null }] })).toBe(false);
  });
});

describe('references', () => {
  const referencesOf = (text: string) =>
    compileTemplate(text, alone(text)).references.map(
      ({ path, optional, place }) => `${path.join('/')}${optional ? '?' : ''}@${place.line}:${place.column}`,
    );

  it.each([
    ['{{a.b}} {{c["d"][0]}}', ['a/b@1:3', 'c/d/0@1:11']],
    ['{{default a.b c}}', ['a/b?@1:11', 'c@1:15']],
    ['{{#if (defined a)}}\n{{b}}{{/if}}', ['a?@1:16', 'b@2:3']],
    [
      '{{#each a as |x i|}}{{x.y}}{{i}}{{this.z}}{{q}}{{@index}}{{../b}}{{@root.c}}{{/each}}',
      ['a@1:9', 'b@1:60', 'c@1:68'],
    ],
    ['{{#with a}}{{b}}{{else}}{{c}}{{/with}}', ['a@1:9', 'c@1:27']],
    ['{{join (sort a) b}}', ['a@1:14', 'b@1:17']],
    ['plain', []],
  ])('%s', (text, references) => {
    expect(referencesOf(text)).toEqual(references);
  });
});
