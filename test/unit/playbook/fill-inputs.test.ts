import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { InvalidError } from '../../../runner/errors.ts';
import { fillInputs, type Given } from '../../../runner/playbook/fill-inputs.ts';
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
