import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probeFile } from '../../../modules/shared/stat.ts';
import { type LocalTarget, localTarget } from '../../support/local-target.ts';
import { describeShells } from '../../support/shells.ts';
import { tries } from '../../support/size.ts';

/** What a shell that reads a file by itself may stumble over, and what it must leave to a program. */
const piece = fc.oneof(
  fc.constantFrom('\n', '\n\n', ' ', '\t', '\\', '\\n', '%s', '$x', '`', '"', "'", '*', '-n ', '!', '~', ']', '[!'),
  fc.constantFrom('\0', '\r', '\x01', '\x7f', 'ä', '\u0081', '\u0088', '😀'),
  fc.string({ maxLength: 20 }),
);
const text = fc.array(piece, { maxLength: 40 }).map((parts) => Buffer.from(parts.join('')));
const bytes = fc.uint8Array({ maxLength: 60 }).map((values) => Buffer.from(values));
const long = fc.integer({ min: 500, max: 530 }).map((length) => Buffer.alloc(length, 'line\n'));

describeShells('read by %s', ({ name: shell }) => {
  let target: LocalTarget;
  beforeAll(() => {
    target = localTarget({ shell });
  });
  afterAll(() => target.dispose());

  test('the content of any file comes as it is', async () => {
    const path = join(target.root, 'file');
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, bytes, long), async (content) => {
        writeFileSync(path, content);
        const state = await probeFile(target.read, { path, content: 'always' });
        expect(state.content?.toString('latin1')).toBe(content.toString('latin1'));
      }),
      { numRuns: tries(150) },
    );
  });
});
