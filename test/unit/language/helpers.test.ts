import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteForShell } from '../../../runner/language/helper-values.ts';
import { HELPERS } from '../../../runner/language/helpers.ts';
import { failureOf, render } from './support.ts';

const names = { name: 'web', title: "Ann's shop", list: ['b', 'a', 'b'], ports: { web: 80 } };

describe('the table of helpers', () => {
  it.each(HELPERS.map((helper) => [helper.name, helper] as const))(
    'the example of %s gives its result',
    (_, helper) => {
      expect(String(render(helper.example.template, names))).toBe(helper.example.result);
      expect(helper.usage.startsWith(helper.name)).toBe(true);
      expect(helper.description).toMatch(/\.$/);
    },
  );
});

describe('helpers', () => {
  const scope = { ...names, n: 5, on: true, nothing: null, nums: [10, 9, 1], path: '/etc/rancher/', empty: [] };

  it.each([
    ['{{join nums}}', '10,9,1'],
    ['{{join (sort nums) " "}}', '1 9 10'],
    ['{{json (sort list)}}', '["a","b","b"]'],
    ['{{json ports indent=2}}', '{\n  "web": 80\n}'],
    ['{{replace "a.b.c" "." "$&"}}', 'a$&b$&c'],
    ['{{basename path}}', 'rancher'],
    ['{{dirname path}}', '/etc'],
    ['{{dirname "file"}} {{dirname "/file"}} {{basename "/"}}', '. / /'],
    ['{{b64 "é\n"}}', 'w6kK'],
    ['{{length "é😀"}}', 2],
    ['{{quote n}}', '5'],
    ['{{quote ""}}', "''"],
    ['{{last nums}}', 1],
    ['{{upper (trim (default missing " x "))}}', 'X'],
  ])('%s', (text, value) => {
    expect(render(text, scope)).toBe(value);
  });

  it.each([
    ['{{join name}}', '`join` needs a list, not a string'],
    ['{{join list nothing}}', '`join` needs text, not null'],
    ['{{upper list}}', '`upper` needs text, not a list'],
    ['{{length n}}', '`length` needs a mapping, not a number'],
    ['{{keys list}}', '`keys` needs a mapping, not a list'],
    ['x {{first empty}}', '`first` found the list empty'],
    ['{{sort (split "a" nothing)}}', '`split` needs text, not null'],
  ])('%s', (text, message) => {
    expect(failureOf(() => render(text, scope))).toMatchObject({ code: 'template-value', message });
  });
});

const shells = [['sh'], ['dash'], ['bash'], ['busybox', 'sh']].filter(([program]) => {
  const present = spawnSync(program!, ['-c', 'true']).error === undefined;
  if (!present) console.log(`quote is not tried in ${program}: it is not installed`);
  return present;
});

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('quote in %s', (_, shell) => {
  // text that escaped its quotes could write files: not here
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reeve-quote-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives back every text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;#~= \t\n\r%-a') }),
    );
    const texts = fc.array(
      text.filter((value) => !value.includes('\0')),
      { minLength: 20, maxLength: 40 },
    );
    fc.assert(
      fc.property(texts, (values) => {
        const script = values.map((value) => `printf '%s\\0' ${quoteForShell(value)}\n`).join('');
        const result = spawnSync(shell[0]!, shell.slice(1), { input: `PATH=\n${script}`, cwd: folder });
        expect(result.stdout.toString('utf8')).toBe(values.map((value) => `${value.toWellFormed()}\0`).join(''));
      }),
      { numRuns: 15 },
    );
  });

  it('refuses NUL, which no argument can hold', () => {
    expect(failureOf(() => render('{{quote x}}', { x: 'a\0b' })).message).toContain('NUL');
  });
});
