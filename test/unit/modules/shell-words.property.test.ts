/** Quoting, word splitting and modes, compared with what real shells and the real chmod do. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { formatMode, modeArgument, resolveMode } from '../../../modules/shared/mode.ts';
import { quote, quoteAll, quoteGlob, quotePath } from '../../../modules/shared/quote.ts';
import { splitWords } from '../../../modules/shared/words.ts';
import { missingGnu } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { tries } from '../../support/size.ts';

const folder = mkdtempSync(join(tmpdir(), 'reeve-words-'));
afterAll(() => rmSync(folder, { recursive: true }));

const argv = { dash: ['dash'], bash: ['bash'], busybox: ['busybox', 'sh'], sh: ['sh'] };

/** The words that a shell sees, each ended by NUL. */
function wordsOf(shell: keyof typeof argv, text: string): string[] | undefined {
  const [program, ...args] = argv[shell];
  const done = spawnSync(program!, [...args, '-c', `printf '%s\\000' ${text}`], { cwd: folder });
  return done.status === 0 ? done.stdout.toString().split('\0').slice(0, -1) : undefined;
}

const anything = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));

describeShells('%s', ({ name: shell }) => {
  test('quote: a word stays what it is, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 20 }), (words) => {
        expect(wordsOf(shell, quoteAll(words))).toEqual(words);
      }),
      { numRuns: tries(40) },
    );
  });

  test('splitWords sees the words that the shell sees', () => {
    const piece = fc.constantFrom('a', 'b c', ' ', '"', "'", '\\', '\t', '%', '=', 'ü', '\\"', '\\ ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const line = `x ${pieces.join('')}`;
        const split = splitWords(line);
        // What a lone backslash at the end means differs between shells; here it is refused.
        fc.pre(!('problem' in split && split.problem.includes('backslash')));
        expect('words' in split ? split.words : undefined).toEqual(wordsOf(shell, line));
      }),
      { numRuns: tries(150) },
    );
  });

  test('quoteGlob leaves patterns alone and protects all else', () => {
    for (const name of ["it's 1", "it's 2", '$x', 'q[1]']) writeFileSync(join(folder, name), '');
    expect(wordsOf(shell, quoteGlob("it's ?"))).toEqual(["it's 1", "it's 2"]);
    expect(wordsOf(shell, quoteGlob("it's [2-9]"))).toEqual(["it's 2"]);
    expect(wordsOf(shell, quoteGlob('$x*'))).toEqual(['$x']);
  });
});

test('quotePath: dashes and the home directory', () => {
  expect([quotePath('-x'), quotePath('~/a b'), quotePath('~'), quotePath('/~/x')]).toEqual([
    './-x',
    `"$HOME"/'a b'`,
    '"$HOME"',
    `'/~/x'`,
  ]);
  expect(() => quote('a\0b')).toThrow('NUL');
});

test('resolveMode does what chmod does', needs(missingGnu('chmod')), () => {
  const who = fc
    .subarray(['u', 'g', 'o', 'a'])
    .map((letters) => letters.join(''))
    .filter((text) => text !== '');
  const letters = fc.oneof(
    fc.subarray(['r', 'w', 'x', 'X', 's', 't']).map((all) => all.join('')),
    fc.constantFrom('u', 'g', 'o'),
  );
  const clause = fc.tuple(who, fc.constantFrom('+', '-', '='), letters).map((parts) => parts.join(''));
  const mode = fc.oneof(
    fc.array(clause, { minLength: 1, maxLength: 3 }).map((all) => all.join(',')),
    fc.integer({ min: 0, max: 0o7777 }).map((bits) => `0${formatMode(bits)}`),
  );
  const paths = { file: join(folder, 'file'), directory: join(folder, 'directory') };
  writeFileSync(paths.file, '');
  mkdirSync(paths.directory);
  fc.assert(
    fc.property(mode, fc.integer({ min: 0, max: 0o7777 }), fc.boolean(), (text, bits, directory) => {
      const path = directory ? paths.directory : paths.file;
      chmodSync(path, bits);
      spawnSync('chmod', [text, path]);
      expect(new RegExp(modeArgument.pattern).test(text)).toBe(true);
      expect(formatMode(resolveMode(text, bits, directory))).toBe(formatMode(statSync(path).mode));
    }),
    { numRuns: tries(400) },
  );
  chmodSync(paths.directory, 0o700);
});
