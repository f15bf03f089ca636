import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockinfile } from '../../../modules/files/blockinfile.ts';
import { lineinfile } from '../../../modules/files/lineinfile.ts';
import { replace } from '../../../modules/files/replace.ts';
import type { AnyModule, ReadTarget } from '../../../runner/module.ts';
import { fillArgs } from '../../support/module-suite.ts';
import { tries } from '../../support/size.ts';

/** A target whose one file has the given content: plans are pure, so no shell is needed to try thousands. */
function targetWith(content: Buffer): ReadTarget {
  const fields = [
    'F',
    '/f',
    'y',
    `81a4:${content.length}:0:0:0:0:1:1:1:root:root`,
    '',
    '',
    '',
    'rw',
    '',
    '',
    '',
    `${content.length}`,
  ];
  const stdout = Buffer.concat([Buffer.from(`${fields.join('\0')}\0`), content, Buffer.from([0])]);
  const read = async () => ({
    code: 0,
    stdout: '',
    stderr: '',
    raw: { stdout, stderr: Buffer.alloc(0) },
    timedOut: false,
  });
  return { read, warn: () => {}, foreseen: () => undefined, host: { name: 'test' } } as unknown as ReadTarget;
}

/** The content after the task; undefined when it was refused, by `check` or by a TaskFailure. */
async function contentAfter(
  module: AnyModule,
  args: Record<string, unknown>,
  content: Buffer,
): Promise<Buffer | undefined> {
  try {
    const filled = fillArgs(module, { path: '/f', ...args });
    const { next } = await module.plan(filled as never, targetWith(content));
    return (next as { content: Buffer } | undefined)?.content ?? content;
  } catch (error) {
    if (/^arguments: |own result again|not one pair|UTF-16/.test((error as Error).message)) return undefined;
    throw error;
  }
}

const piece = fc.constantFrom(
  'a',
  'b',
  'ab',
  '#a',
  'ü',
  '\n',
  '\r\n',
  '\r',
  ' ',
  '\xff',
  '# BEGIN MANAGED BY REEVE',
  '# END MANAGED BY REEVE',
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
  fc.string({ unit: 'binary' }).map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)),
);
const pattern = fc.constantFrom('^a', 'b$', '^#?a', 'a|b', '.', '^', '$', 'ü', '(a)(b)?', '[^a]', '^\\s*$');
const word = fc.oneof(fc.constantFrom('a', 'b', 'x', '#a', 'ü', '\\1x', ''), fc.string({ unit: 'binary' }));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const place = optional(fc.oneof(pattern, fc.constantFrom('EOF', 'BOF')));

const lineArgs = fc.record({
  line: word,
  regexp: optional(pattern),
  insertafter: place,
  firstmatch: fc.boolean(),
  backrefs: fc.boolean(),
  state: fc.constantFrom('present', 'absent'),
});
const blockArgs = fc.record({
  block: fc.array(word).map((lines) => lines.join('\n')),
  insertbefore: place,
  state: fc.constantFrom('present', 'absent'),
});
const replaceArgs = fc.record({ regexp: pattern, replace: word, after: optional(pattern), before: optional(pattern) });

const given = (args: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));

describe.each([
  ['lineinfile', lineinfile, lineArgs],
  ['blockinfile', blockinfile, blockArgs],
  ['replace', replace, replaceArgs],
] as [string, AnyModule, fc.Arbitrary<Record<string, unknown>>][])('%s on any bytes', (_, module, args) => {
  test('a second run changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(args, text, async (all, content) => {
        const once = await contentAfter(module, given(all), content);
        if (once) expect(await contentAfter(module, given(all), once)).toEqual(once);
      }),
      { numRuns: tries(2000) },
    );
  });
});

test('lineinfile touches one line and no byte elsewhere', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      const result = await contentAfter(lineinfile, { line: 'new', insertbefore: 'BOF' }, content);
      if (!result || result.equals(content)) return;
      const mark = content.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
      expect(result.subarray(0, mark)).toEqual(content.subarray(0, mark));
      expect(result.toString('latin1', mark)).toMatch(/^new\r?\n/);
      expect(result.subarray(result.length - content.length + mark)).toEqual(content.subarray(mark));
    }),
    { numRuns: tries(2000) },
  );
});

test('blockinfile: absent takes back what present did', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      const args = { block: 'x\ny', insertbefore: 'BOF' };
      const made = await contentAfter(blockinfile, args, content);
      if (!made || content.includes('MANAGED')) return;
      expect(await contentAfter(blockinfile, { state: 'absent' }, made)).toEqual(content);
    }),
    { numRuns: tries(1000) },
  );
});
