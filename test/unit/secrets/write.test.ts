import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toPlain } from '../../../runner/language/access.ts';
import { loadDocument } from '../../../runner/load/parse.ts';
import { creationFor } from '../../../runner/secrets/sops/creation-rules.ts';
import { changedSopsText, newSopsText, readSopsFile, rekeyedSopsText } from '../../../runner/secrets/sops/file.ts';
import type { SopsRules } from '../../../runner/secrets/sops/metadata.ts';
import { tries } from '../../support/size.ts';
import { folder, KEYS, problemsOf, session, vector } from './support.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const other = await generateX25519Identity();
const otherRecipient = await identityToRecipient(other);
const NOBODY = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };
const OURS = { ...NOBODY, SOPS_AGE_KEY: identity };
const RULES: SopsRules = { unencrypted_suffix: '_unencrypted' };

/** Encrypts a text into a file; gives its path and its content. */
async function encrypted(text: string, rules = RULES, name = 'f.yaml', recipients = [recipient]) {
  const path = join(folder(), name);
  const written = await newSopsText(text, path, recipients, rules);
  writeFileSync(path, written);
  return { path, written };
}

async function values(path: string, environment: Record<string, string> = OURS): Promise<unknown> {
  const { secrets } = session({ environment });
  return toPlain((await secrets.load(() => loadDocument(path, { opener: secrets }))).value);
}

const PLAIN = `# the database of production
db:
    password: 'hunter2 # not a comment' # changed in March
    port: 5432
    ratio: 0.25
    whole: 1.0
    on: true
    nothing: null
    empty: ""
    text_of_number: "007"
    lines: |
        first
        second
list:
    - one
    # between
    - - nested
      - 2
10: number as key
2: another
clear_unencrypted: seen
`;

describe('encrypting', () => {
  it('hides every value and comment, keeps keys and types, and is read again', async () => {
    const { path, written } = await encrypted(PLAIN);
    for (const hidden of ['hunter2', '5432', '0.25', 'first', 'production', 'March', 'between', 'nested']) {
      expect(written).not.toContain(hidden);
    }
    expect(written).toContain('clear_unencrypted: seen');
    const { clear_unencrypted: _, ...rest } = parse(PLAIN);
    expect(await values(path)).toEqual({ ...rest, clear_unencrypted: 'seen' });
  });

  it('gives the same text back, comments and order included', async () => {
    const { path } = await encrypted(PLAIN);
    const { text } = await readSopsFile(path, OURS);
    expect(parse(text)).toEqual(parse(PLAIN));
    for (const comment of ['# the database of production', '# changed in March', '# between'])
      expect(text).toContain(comment);
    expect(text).toContain('whole: 1.0');
    expect(text.indexOf('10:')).toBeLessThan(text.indexOf('2: another'));
  });

  it('a whole number that is too large for JavaScript stays exact', async () => {
    const { path } = await encrypted('{ "n": 9007199254740993 }', RULES, 'f.json');
    expect(await values(path)).toEqual({ n: '9007199254740993' });
    expect((await readSopsFile(path, OURS)).text).toContain('"n": 9007199254740993');
  });

  it('any mapping comes back as it was, in YAML and in JSON', async () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
      fc.boolean(),
      fc.constant(null),
    );
    const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__' && name !== 'sops' && name !== '<<');
    const tree = fc.dictionary(
      key,
      fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 3 },
          leaf,
          fc.array(tie('value'), { maxLength: 3 }),
          fc.dictionary(key, tie('value'), { maxKeys: 3 }),
        ),
      })).value,
      { minKeys: 1, maxKeys: 4 },
    );
    await fc.assert(
      fc.asyncProperty(tree, fc.constantFrom('f.yaml', 'f.json'), async (value, name) => {
        const { path } = await encrypted(JSON.stringify(value), RULES, name);
        expect(await values(path)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(parse((await readSopsFile(path, OURS)).text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: tries(60) },
    );
  });

  it.each<[SopsRules, string[], string[]]>([
    [{ encrypted_regex: '^(data|token)$' }, ['kind: Secret'], ['in data', 'in token']],
    [{ unencrypted_regex: '^kind$' }, ['kind: Secret'], ['in data', 'in token']],
    [{ encrypted_suffix: 'en' }, ['kind: Secret', 'in data'], ['in token']],
    [{ encrypted_regex: '^data$', mac_only_encrypted: true }, ['kind: Secret', 'in token'], ['in data']],
  ])('%j', async (rules, clear, hidden) => {
    const { path, written } = await encrypted('kind: Secret\ndata: { deep: [in data] }\ntoken: in token\n', rules);
    for (const text of clear) expect(written).toContain(text);
    for (const text of hidden) expect(written).not.toContain(text);
    expect(await values(path)).toEqual({ kind: 'Secret', data: { deep: ['in data'] }, token: 'in token' });
    const changed = written.replace('kind: Secret', 'kind: Changed');
    writeFileSync(path, changed);
    if (rules.mac_only_encrypted) expect(await values(path)).toMatchObject({ kind: 'Changed' });
    else expect(await problemsOf(() => values(path))).toMatchObject([{ code: 'sops-mac' }]);
  });

  it.each([
    ['a: &x 1\nb: *x\n', 'sops-alias'],
    ['a: !vault x\n', 'sops-tag'],
    ['- a\n', 'sops-not-mapping'],
    ['', 'sops-not-mapping'],
    ['sops: {}\n', 'sops-encrypted'],
    ['a: [', 'sops-syntax'],
  ])('%j is refused', async (text, code) => {
    expect(await problemsOf(() => encrypted(text))).toMatchObject([{ code }]);
  });

  it('needs recipients, and real ones', async () => {
    expect(await problemsOf(() => encrypted('a: b\n', RULES, 'f.yaml', []))).toMatchObject([
      { code: 'sops-no-recipient' },
    ]);
    expect(await problemsOf(() => encrypted('a: b\n', RULES, 'f.yaml', ['age1nonsense']))).toMatchObject([
      { code: 'age-recipient' },
    ]);
  });
});

describe('changing', () => {
  it('leaves as they were the values that stay the same', async () => {
    const { path, written } = await encrypted('a: first\nb: second\n');
    const opened = await readSopsFile(path, OURS);
    const changed = changedSopsText(opened, opened.text.replace('second', 'changed'));
    const line = (text: string, name: string) => text.split('\n').find((one) => one.startsWith(`${name}:`));
    expect(line(changed, 'a')).toBe(line(written, 'a'));
    expect(line(changed, 'b')).not.toBe(line(written, 'b'));
    writeFileSync(path, changed);
    expect(await values(path)).toEqual({ a: 'first', b: 'changed' });
  });

  it('keeps what another program wrote beside it', async () => {
    const environment = { ...NOBODY, SOPS_AGE_KEY: KEYS.secret };
    const opened = await readSopsFile(vector('secret.yaml'), environment);
    const path = join(folder(), 'secret.yaml');
    writeFileSync(path, changedSopsText(opened, opened.text.replace('value', 'other value')));
    expect(await values(path, environment)).toMatchObject({ kind: 'Secret', stringData: { key: 'other value' } });
  });

  it('rekey: whoever is left out cannot open it, with the old data key neither', async () => {
    const { path, written } = await encrypted('a: first\n', RULES, 'f.yaml', [recipient, otherRecipient]);
    const opened = await readSopsFile(path, { ...NOBODY, SOPS_AGE_KEY: other });
    const renewed = await rekeyedSopsText(opened, [recipient]);
    writeFileSync(path, renewed);
    expect(await values(path)).toEqual({ a: 'first' });
    expect(await problemsOf(() => values(path, { ...NOBODY, SOPS_AGE_KEY: other }))).toMatchObject([
      { code: 'sops-no-key' },
    ]);
    expect((await readSopsFile(path, OURS)).key).not.toEqual(opened.key);
    expect(written).not.toBe(renewed);
  });
});

describe('.sops.yaml', () => {
  const config = `creation_rules:
  - path_regex: ^prod/
    age: ${recipient},${otherRecipient}
    encrypted_regex: ^data$
  - path_regex: \\.kms$
    kms: arn
    age: ${recipient}
  - path_regex: yaml$
    key_groups: [{ age: [${recipient}] }]
`;
  it('says for whom and what, by the first rule that fits', async () => {
    const dir = folder();
    writeFileSync(join(dir, '.sops.yaml'), config);
    expect(creationFor(join(dir, 'prod/x.yaml'))).toEqual({
      recipients: [recipient, otherRecipient],
      rules: { encrypted_regex: '^data$' },
    });
    expect(creationFor(join(dir, 'dev/x.yaml'))).toEqual({ recipients: [recipient], rules: RULES });
    expect(await problemsOf(() => creationFor(join(dir, 'x.kms')))).toMatchObject([{ code: 'sops-rule' }]);
    expect(await problemsOf(() => creationFor(join(dir, 'x.txt')))).toMatchObject([{ code: 'sops-no-rule' }]);
  });

  it.each([
    ["{ path_regex: '(' }", 'no regular expression'],
    ['{ path_regex: 5 }', 'must be text'],
    ['null', 'takes a mapping'],
  ])('a rule %s is an error at its place', async (rule, message) => {
    const dir = folder();
    writeFileSync(join(dir, '.sops.yaml'), `creation_rules:\n  - ${rule}\n`);
    const problems = await problemsOf(() => creationFor(join(dir, 'x.yaml')));
    expect(problems).toMatchObject([{ code: 'sops-rule', place: { line: 2, column: 5 } }]);
    expect(problems[0]!.message).toContain(message);
  });
});
