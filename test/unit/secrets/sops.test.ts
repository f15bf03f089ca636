import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { toPlain } from '../../../runner/language/access.ts';
import { loadDocument } from '../../../runner/load/parse.ts';
import { readMetadata } from '../../../runner/secrets/sops/metadata.ts';
import { openTree } from '../../../runner/secrets/sops/open.ts';
import { selection } from '../../../runner/secrets/sops/selection.ts';
import { parseTree } from '../../../runner/secrets/sops/tree.ts';
import { plainValue, withoutExponent } from '../../../runner/secrets/sops/values.ts';
import { EXAMPLE_DATA_KEY, folder, KEYS, problemsOf, session, vector, vectorText } from './support.ts';

async function open(file: string, environment: Record<string, string>) {
  const { secrets, known } = session({ environment });
  const document = await secrets.load(() => loadDocument(file, { opener: secrets }));
  return { document, value: toPlain(document.value), known };
}

/** A vector with something changed in it, as a file. */
function changed(name: string, from: string | RegExp, to: string): string {
  const text = vectorText(name);
  expect(text).toMatch(from);
  const file = join(folder(), name);
  writeFileSync(file, text.replace(from, to));
  return file;
}

describe('files that other programs wrote', () => {
  it('reads strings, lists and nested mappings', async () => {
    const { value, known } = await open(vector('strings.yaml'), { SOPS_AGE_KEY: KEYS.strings });
    expect(value).toEqual({
      test_key: 'test_value',
      a_list: ['e1', 'e3'],
      nested: { test: { file: 'another value' } },
    });
    expect(known).toContain('test_value');
    expect(known).toContain('another value');
  });

  it('keeps the types of values', async () => {
    const { value } = await open(vector('types.yaml'), { SOPS_AGE_KEY: KEYS.types });
    expect(value).toEqual({ hello: 'world', integer: 0, float: 0.2, bool: true, null_value: null });
  });

  it('decrypts only what encrypted_regex selects, and only that is secret', async () => {
    const { value, known } = await open(vector('secret.yaml'), { SOPS_AGE_KEY: KEYS.secret });
    expect(value).toMatchObject({ kind: 'Secret', metadata: { name: 'age' }, stringData: { key: 'value' } });
    expect(value).not.toHaveProperty('sops');
    expect(known).toEqual(['value']);
  });

  it('reads JSON', async () => {
    const { value } = await open(vector('binary.json'), {
      SOPS_AGE_KEY: `# a comment\n${KEYS.types}\n${KEYS.secret}\n`,
    });
    expect(value).toEqual({ data: 'value' });
  });

  it('reads what upstream shows as its example: comments, numbers, booleans, what stays in clear', () => {
    const file = vector('example.yaml');
    const metadata = {
      ...(parseDocument(vectorText('example.yaml')).toJS() as { sops: object }).sops,
      age: [{ recipient: 'r', enc: 'e' }],
    };
    const place = { file, line: 1, column: 1 };
    const tree = parseTree(vectorText('example.yaml'), place);
    const values = openTree(tree, readMetadata(metadata, place), EXAMPLE_DATA_KEY, place, (_scalar, value) =>
      plainValue(value),
    );
    expect(values).toMatchObject({
      myapp1: 't00m4nys3cr3tzupdated',
      app2: { db: { user: 'eve', password: 'c4r1b0u' } },
      number: 1234568000,
      an_array: ['secretuser1', 'secretuser2', expect.any(String), expect.any(String)],
      somebooleans: [true, false],
      this: { is: { a: { nested: { value: expect.any(String) } } } },
      nested_unencrypted: { this: { is: { all: 'going to remain in clear text' } } },
    });
    expect(String(tree)).toContain('# private key for secret operations in app2');
    expect(String(tree)).not.toContain('type:comment');
  });

  // A later commit of upstream edited this line by hand, after which sops itself refuses the file.
  it('refuses that example as it was edited without sops', () => {
    const text = vectorText('example.yaml').replace('of the _encrypted suffix', 'of the _unencrypted suffix');
    const metadata = { ...(parseDocument(text).toJS() as { sops: object }).sops, age: [{ recipient: 'r', enc: 'e' }] };
    const place = { file: 'example.yaml', line: 1, column: 1 };
    const open = () =>
      openTree(parseTree(text, place), readMetadata(metadata, place), EXAMPLE_DATA_KEY, place, () => 0);
    expect(open).toThrowError(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'sops-mac' })] }),
    );
  });
});

describe('keys', () => {
  it('come from a file that SOPS_AGE_KEY_FILE names, and from the usual place', async () => {
    const home = folder();
    const file = join(home, 'keys.txt');
    writeFileSync(file, `# public key: somebody\n${KEYS.strings}\n`);
    const named = await open(vector('strings.yaml'), { SOPS_AGE_KEY_FILE: file });
    expect(named.value).toMatchObject({ test_key: 'test_value' });
    mkdirSync(join(home, '.config/sops/age'), { recursive: true });
    writeFileSync(join(home, '.config/sops/age/keys.txt'), KEYS.strings);
    const usual = await open(vector('strings.yaml'), { HOME: home, XDG_CONFIG_HOME: join(home, '.config') });
    expect(usual.value).toMatchObject({ test_key: 'test_value' });
  });

  it('that fit none of the recipients are one error that names the file and where was looked', async () => {
    const [problem, ...others] = await problemsOf(() => open(vector('strings.yaml'), { SOPS_AGE_KEY: KEYS.types }));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'sops-no-key', place: { file: vector('strings.yaml') } });
    expect(problem!.hint).toContain('age1yt3tfqlfrwdwx0z0ynwplcr6qxcxfaqycuprpmy89nr83ltx74tqdpszlw');
    expect(problem!.hint).toContain('SOPS_AGE_KEY');
    expect(JSON.stringify(problem)).not.toContain('SECRET-KEY');
  });

  it('that are missing, of another kind, or split are told apart', async () => {
    expect((await problemsOf(() => open(vector('strings.yaml'), {})))[0]).toMatchObject({ code: 'sops-no-key' });
    const pgp = changed(
      'types.yaml',
      /age:\n[\s\S]*-----END AGE ENCRYPTED FILE-----/,
      'pgp:\n        - fp: ABC\n          enc: x',
    );
    expect((await problemsOf(() => open(pgp, {})))[0]).toMatchObject({
      code: 'sops-no-age',
      message: expect.stringContaining('PGP'),
    });
    const split = changed(
      'types.yaml',
      'sops:\n',
      'sops:\n    shamir_threshold: 2\n    key_groups: [{ age: [] }, { age: [] }]\n',
    );
    expect((await problemsOf(() => open(split, {})))[0]).toMatchObject({ code: 'sops-key-groups' });
  });
});

describe('files that were changed', () => {
  const env = { SOPS_AGE_KEY: KEYS.secret };
  it.each([
    ['a value in clear', 'kind: Secret', 'kind: Other', 'sops-mac'],
    ['a removed value', 'apiVersion: v1\n', '', 'sops-mac'],
    ['an encrypted value', 'data:mHeXsmQ=', 'data:nHeXsmQ=', 'sops-value'],
    ['a value under another key', '  key: ENC', '  token: ENC', 'sops-value'],
    ['an encrypted value in clear', /key: ENC\[[^\]]+\]/, 'key: value', 'sops-value'],
    ['the MAC', 'mac: ENC[AES256_GCM,data:vmr', 'mac: ENC[AES256_GCM,data:vmq', 'sops-mac'],
    ['the time', '13:33:42Z', '13:33:43Z', 'sops-mac'],
    ['no MAC', /mac: ENC.*/, 'mac: ""', 'sops-no-mac'],
    ['the rule', '^(data|stringData)$', '^data$', 'sops-mac'],
    ['a key of its recipient', 'YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0', '%%%', 'sops-damaged'],
  ])('%s: one error without plain text', async (_what, from, to, code) => {
    const problems = await problemsOf(() => open(changed('secret.yaml', from, to), env));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      code,
      severity: 'error',
      place: { file: expect.stringContaining('secret.yaml') },
    });
    expect(problems[0]!.message).not.toContain('value"');
  });

  it.each(['int', 'float', 'bool'])(
    'a text whose type was made %s is refused at its line, and not shown',
    async (type) => {
      const file = changed('strings.yaml', /type:str\]/, `type:${type}]`);
      const problems = await problemsOf(() => open(file, { SOPS_AGE_KEY: KEYS.strings }));
      expect(problems).toMatchObject([{ code: 'sops-value', place: { file, line: 1, column: 11 } }]);
      expect(JSON.stringify(problems)).not.toContain('test_value');
    },
  );

  it('that are several are all named at once', async () => {
    const { secrets } = session();
    const files = [vector('strings.yaml'), vector('secret.yaml')];
    const problems = await problemsOf(() =>
      secrets.load(() => files.map((file) => loadDocument(file, { opener: secrets }))),
    );
    expect(problems.map(({ place }) => place!.file)).toEqual(files);
  });
});

describe('rules', () => {
  const place = { file: 'f', line: 1, column: 1 };
  it.each([
    [{}, ['a'], true],
    [{ unencrypted_suffix: '_clear' }, ['a_clear', 'b'], false],
    [{ encrypted_suffix: '_enc' }, ['a', 'b_enc'], true],
    [{ encrypted_suffix: '_enc' }, ['a'], false],
    [{ encrypted_regex: '^(data|x)$' }, ['x', 'deep'], true],
    [{ encrypted_regex: '(?i)^DATA$' }, ['data'], true],
    [{ unencrypted_regex: '^meta' }, ['metadata'], false],
    [{ unencrypted_regex: '^meta' }, ['data'], true],
  ])('%j on %j: %s', (rules, path, wanted) => {
    expect(selection(rules, place)(path, () => false)).toBe(wanted);
  });
});

describe('numbers', () => {
  it.each([
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-2.5e22, '-25000000000000000000000'],
    [1234.5, '1234.5'],
    [Number.POSITIVE_INFINITY, '+Inf'],
  ])('%d is written without an exponent', (value, text) => expect(withoutExponent(value)).toBe(text));
});
