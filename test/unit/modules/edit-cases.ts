import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ModuleCase } from '../../support/module-suite.ts';

/** One edit of a file that is called `the file`; texts are latin1, so that any byte can be written. */
export interface EditCase {
  title: string;
  args: Record<string, unknown>;
  /** Undefined: there is no file. */
  from?: string;
  /** Undefined: nothing changes. */
  to?: string;
  fails?: RegExp;
}

/** Turns edits into cases of a module suite. */
export function editCases(edits: EditCase[]): ModuleCase[] {
  return edits.map(({ title, args, from, to, fails }) => ({
    title,
    args: { path: 'ROOT/the file', ...args },
    before: (root) => {
      if (from !== undefined) writeFileSync(join(root, 'the file'), from, 'latin1');
    },
    changes: to === undefined ? [] : [`ROOT/the file: ${from === undefined ? 'create' : 'content'}`],
    ...(fails && { fails }),
    after: (root) => {
      const expected = to ?? from;
      if (expected !== undefined) expect(readFileSync(join(root, 'the file'), 'latin1')).toBe(expected);
    },
  }));
}
