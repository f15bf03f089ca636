import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDocument, parseDocument } from '../../../runner/load/parse.ts';
import { isAll } from '../../support/size.ts';
import { diagnosticsOf, marked } from './marked.ts';

/** characters of what is large: what takes a step for each pair of keys or lines would never end. */
const LARGE = isAll ? 5e6 : 5e5;

/** Name, text with « » around the place, code, words of message and hint. */
const CASES: [name: string, source: string, code: string, words: string[]][] = [
  ['an empty file', '«»', 'empty-file', ['empty']],
  ['a file of blank lines', '«»\n\n', 'empty-file', ['empty']],
  ['nothing but comments', '«»# a comment\n', 'empty-file', ['comments']],
  ['a tab for indentation', 'a:\n«\t»b: 1\n', 'tab-indentation', ['tab', 'spaces']],
  ['a duplicate key', 'a: 1\nb: 2\n«a»: 3\n', 'duplicate-key', ['`a`']],
  ['a duplicate key in a flow mapping', 'x: { a: 1, «a»: 2 }\n', 'duplicate-key', ['`a`']],
  ['a number as key twice', '1: a\n«1»: b\n', 'duplicate-key', ['`1`']],
  ['an unclosed quote', 'a: "text\n«»', 'yaml-syntax', ['closing']],
  ['an unclosed bracket', 'a: [1, 2\n«b»: 3\n', 'bad-indentation', ['indentation']],
  ['an expression that begins with !', 'when: «!check» && x\n', 'unknown-tag', ['`!check`', 'quoted: "!check && x"']],
  ['a tag before quotes', 'a: «!check» "b"\n', 'unknown-tag', [`'!check "b"'`]],
  ['an unknown YAML tag', 'a: «!!foo» b\n', 'unknown-tag', ['!!foo']],
  ['a template without quotes', 'key: «{{ x }}»\n', 'unquoted-template', ['quoted', '"{{ x }}"']],
  ['a template without quotes and text after it', 'key: {{ x }}«/y»\n', 'unquoted-template', ['"{{ x }}/y"']],
  ['a template without quotes in a list', '- «{{ x }}»\n', 'unquoted-template', ['"{{ x }}"']],
  ['a template without quotes in braces', '- { a: x/«{»{ y }}, b: 1 }\n', 'unquoted-template', ['"x/{{ y }}"']],
  ['a second colon', '- name: «a»: b\n', 'nested-mapping-on-line', ['quote']],
  ['a reserved first character', 'a: «@»home\n', 'bad-scalar-start', ['quote it: "@home"']],
  ['an alias without anchor', 'hosts: «*.example.org»\n', 'unknown-alias', ['quoted: "*.example.org"']],
  ['an alias inside its own anchor', 'a: &x [«*x»]\n', 'alias-cycle', ['inside']],
  ['a second document', 'a: 1\n«---»\nb: 2\n', 'several-documents', ['second document']],
  ['YAML 1.1', '«»%YAML 1.1\n---\na: yes\n', 'yaml-version', ['1.2']],
  ['a list as key', '? «[a, b]»\n: c\n', 'key-not-text', ['key']],
  ['the key __proto__', '«__proto__»: 1\n', 'reserved-key', ['__proto__']],
  ['<< of a text', 'a:\n  <<: «text»\n', 'merge-not-mapping', ['<<']],
  ['a number too large', 'a: «123456789012345678901»\n', 'number-too-large', ['"123456789012345678901"']],
  ['a control character', 'a: x«»\u0007y\n', 'control-character', ['U+0007']],
  ['a NUL', 'a: x«»\0y\n', 'control-character', ['U+0000', 'binary']],
  ['a bad escape', 'path: "C:«\\»Users"\n', 'bad-escape', ['backslash']],
];

describe('bad YAML', () => {
  it.each(CASES)('%s', (_name, source, code, words) => {
    const { text, ...place } = marked(source);
    const found = diagnosticsOf(() => parseDocument(text, 'f.yaml'));
    const hit = found.find((diagnostic) => diagnostic.code === code);
    expect(hit, JSON.stringify(found)).toBeDefined();
    expect({ line: hit!.place?.line, column: hit!.place?.column }).toEqual({ line: place.line, column: place.column });
    for (const word of words) expect(`${hit!.message} ${hit!.hint}`).toContain(word);
  });

  it('tells a template without quotes once, however often it trips the parser', () => {
    expect(diagnosticsOf(() => parseDocument('- { a: x/{{ y }}, b: 1 }\n', 'f'))).toHaveLength(1);
  });

  it('reports every mistake in one go', () => {
    const found = diagnosticsOf(() => parseDocument('a: 1\na: 2\nb: *x\nc: 1\nc: 2\n', 'f'));
    expect(found.map(({ code, place }) => [code, place?.line])).toEqual([
      ['duplicate-key', 2],
      ['unknown-alias', 3],
      ['duplicate-key', 5],
    ]);
  });

  it('says where a duplicate key was first', () => {
    const [found] = diagnosticsOf(() => parseDocument('b: 0\na: 1\na: 2\n', 'f'));
    expect(found?.related?.[0]?.place).toMatchObject({ line: 2, column: 1 });
  });

  it('reports at most 50 syntax errors and counts the rest', () => {
    const found = diagnosticsOf(() => parseDocument('- a: [b\n'.repeat(500), 'f'));
    expect(found).toHaveLength(51);
    expect(found.at(-1)?.message).toMatch(/and \d+ more/);
  });

  it('nesting without end is an error, not a crash', () => {
    for (const depth of [300, 100_000]) {
      const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      const found = diagnosticsOf(() => parseDocument(deep, 'f'));
      expect(found).toMatchObject([{ code: 'nested-too-deep', message: expect.stringMatching(/^nested /) }]);
    }
  });

  it('an alias bomb is an error before it is built', () => {
    const levels = ['a: &l0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      levels.push(
        `b${i}: &l${i} [${Array(10)
          .fill(`*l${i - 1}`)
          .join(', ')}]`,
      );
    const [found] = diagnosticsOf(() => parseDocument(levels.join('\n'), 'f'));
    expect(found).toMatchObject({ code: 'alias-bomb', place: { line: 5 } });
  });

  it('aliases used as people use them are no bomb', () => {
    const list = Array.from({ length: 2000 }, (_, i) => `  - { <<: *base, name: n${i} }`).join('\n');
    const document = parseDocument(`base: &base { a: 1, b: 2 }\nlist:\n${list}\n`, 'f');
    expect((document.value as { list: unknown[] }).list[1999]).toEqual({ a: 1, b: 2, name: 'n1999' });
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reeve-load-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function load(content: Buffer | string) {
    const file = join(folder, 'f.yaml');
    writeFileSync(file, content);
    return loadDocument(file);
  }

  it('a byte order mark is no part of the text', () => {
    const document = load('\ufeffa: 1\n');
    expect(document.value).toEqual({ a: 1 });
    expect(document.place(['a'], 'key')).toMatchObject({ line: 1, column: 1 });
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeffa: 1\n', 'utf16le'), 'not-utf8', 'UTF-8'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]), 'not-utf8', 'UTF-8'],
    ['a binary file', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]), 'control-character', 'binary'],
  ])('%s', (_name, content, code, word) => {
    const [found] = diagnosticsOf(() => load(content));
    expect(found?.code).toBe(code);
    expect(`${found?.message} ${found?.hint}`).toContain(word);
    expect(found?.place?.line).toBe(1);
  });

  it('a text may hold the replacement character itself', () => {
    expect(load('a: "\ufffd"\n').value).toEqual({ a: '\ufffd' });
  });

  it('a missing file and a folder say so', () => {
    const missing = diagnosticsOf(() => loadDocument(join(folder, 'nothing.yaml')));
    expect(missing[0]).toMatchObject({ code: 'file-not-found' });
    expect(diagnosticsOf(() => loadDocument(folder))[0]).toMatchObject({ code: 'file-unreadable' });
  });

  it('JSON goes the same way', () => {
    const document = load('{\n\t"a": {"b": ["x", "\\ud83d\\ude00\\/"]}\n}\n');
    expect(document.value).toEqual({ a: { b: ['x', '😀/'] } });
    expect(document.place(['a', 'b', 1])).toMatchObject({ line: 2, column: 19 });
    expect(document.textPlace(['a', 'b', 1]).placeAt(2)).toMatchObject({ line: 2, column: 32 });
  });

  it(`${LARGE / 1e6} MB of keys, of one text, and of mistakes are read`, () => {
    let keys = '';
    for (let i = 0; keys.length < LARGE; i++) keys += `key${i}: value number ${i}\n`;
    const document = parseDocument(keys, 'f');
    expect(document.place(['key10000'], 'key')).toMatchObject({ line: 10_001 });
    const count = LARGE / 20;
    const at = count * 0.8;
    const text = parseDocument(`a: |\n${'  some line of text\n'.repeat(count)}`, 'f');
    expect(text.textPlace(['a']).placeAt(18 * at)).toMatchObject({ line: at + 2, column: 3 });
    const quoted = parseDocument(`a: "${'some line of text\n  '.repeat(count)}"`, 'f');
    expect(quoted.textPlace(['a']).placeAt(18 * at)).toMatchObject({ line: at + 1, column: 3 });
    expect(diagnosticsOf(() => parseDocument(`${keys}key5: again\n`, 'f'))[0]?.code).toBe('duplicate-key');
  });
});

describe('values', () => {
  it('reads YAML 1.2: yes and no are text, octal is 0o', () => {
    const { value } = parseDocument('a: yes\nb: no\nc: 0o17\nd: 0644\ne: ~\nf: 1.30\ng: 2026-01-02\n', 'f');
    expect(value).toEqual({ a: 'yes', b: 'no', c: 15, d: 644, e: null, f: 1.3, g: '2026-01-02' });
  });

  it('reads YAML 1.1 where Ansible does', () => {
    const { value } = parseDocument('a: yes\nb: 0644\nc: 2026-01-02\n', 'f', { yaml: '1.1' });
    expect(value).toEqual({ a: true, b: 0o644, c: '2026-01-02' });
  });

  it('merges mappings: own keys win, earlier sources before later ones', () => {
    const { value } = parseDocument('a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc: { <<: [*a, *b], x: 0 }\n', 'f');
    expect((value as { c: unknown }).c).toEqual({ x: 0, y: 1, z: 2 });
  });

  it('keeps a quoted << as a key', () => {
    expect(parseDocument('"<<": 1\n', 'f').value).toEqual({ '<<': 1 });
  });

  it('makes objects of known tags', () => {
    class Vault {
      readonly text: string;
      constructor(text: string) {
        this.text = text;
      }
    }
    const tags = { '!vault': (text: string) => new Vault(text) };
    const { value } = parseDocument('a: !vault |\n  secret\nb: !raw 1.30\n', 'f', { tags });
    expect(value).toEqual({ a: new Vault('secret\n'), b: { text: '1.30' } });
    const [found] = diagnosticsOf(() => parseDocument('a: !raw { b: 1 }\n', 'f'));
    expect(found).toMatchObject({ code: 'misplaced-tag', place: { line: 1 } });
  });
});
