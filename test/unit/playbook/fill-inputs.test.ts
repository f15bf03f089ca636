import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { InvalidError } from '../../../runner/errors.ts';
import { fillInputs, type Given } from '../../../runner/playbook/fill-inputs.ts';
import type { Playbook } from '../../../runner/playbook/model.ts';
import { loadPlaybook } from '../../../runner/playbook/parse.ts';

const dir = mkdtempSync(join(tmpdir(), 'reeve-inputs-'));
afterAll(() => rmSync(dir, { recursive: true }));

const file = join(dir, 'inputs.yaml');
writeFileSync(
  file,
  `inputs:
  count: { type: integer, default: 1 }
  token: { type: string, secret: true, default: abcdef }
plays:
  - hosts: all
    tasks: [{ debug: "{{ free }}" }]
`,
);

const fill = (...given: Omit<Given, 'from'>[]) =>
  fillInputs(
    loadPlaybook(file, modules),
    given.map((item) => ({ ...item, from: '-e' })),
    {},
    undefined,
  );

describe('-e name=value', () => {
  it.each([
    ['a template', '{{ inputs.count }}'],
    ['a tag', '!raw x'],
    ['a broken list', '[a'],
    ['a mapping with a list as a key', '{ [a]: b }'],
  ])('%s is the text that it is, and the parser says nothing about it', async (_, text) => {
    const warnings: unknown[] = [];
    const listen = (warning: unknown) => warnings.push(warning);
    process.on('warning', listen);
    expect((await fill({ name: 'free', text })).extraVars).toEqual({ free: text });
    // Warnings come in a turn of their own.
    await new Promise((done) => setImmediate(done));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  it('what is plain YAML is read as such', async () => {
    expect((await fill({ name: 'free', text: '{a: [1, x]}' })).extraVars).toEqual({ free: { a: [1, 'x'] } });
  });

  it.each(['inputs', 'run', 'hosts'])('a name that always means something else is refused: %s', async (name) => {
    await expect(fill({ name, text: '3' })).rejects.toMatchObject({
      diagnostics: [{ message: expect.stringContaining(`-e ${name}: \`${name}\` always means`) }],
    });
  });

  it('a secret is not shown by what refuses it', async () => {
    const refused = await fill({ name: 'token', value: 87654321 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidError);
    expect(JSON.stringify((refused as InvalidError).diagnostics)).not.toContain('87654321');
  });
});

const place = { file: 'site.yaml', line: 1, column: 1 };
const inputs = {
  text: { type: 'string', place },
  count: { type: 'integer', place },
  kind: { enum: ['1.30', '1.31'], place },
};

async function filled(...words: string[]) {
  const given = words.map((word) => {
    const [name, text] = word.split('=') as [string, string];
    return { name, text, from: '-e' };
  });
  return fillInputs({ inputs } as unknown as Playbook, given, {}, undefined);
}

it('what would come out as another text is no number: versions, names with zeros', async () => {
  const result = await filled('text=1.30', 'count=04', 'kind=1.30', 'version=1.30', 'zone=007', 'big=1e3', 'long=1_0');
  expect(result.inputs).toEqual({ text: '1.30', count: 4, kind: '1.30' });
  expect(result.extraVars).toEqual({ version: '1.30', zone: '007', big: '1e3', long: '1_0' });
});

it('everything else of a variable without a type is read as YAML', async () => {
  const { extraVars } = await filled(
    'text=',
    'count=1',
    'kind=1.31',
    'a=3',
    'b=-1.5',
    'c=true',
    'd=[1, x]',
    'e=',
    'f={{',
  );
  expect(extraVars).toEqual({ a: 3, b: -1.5, c: true, d: [1, 'x'], e: '', f: '{{' });
});
