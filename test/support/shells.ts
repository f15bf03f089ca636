import { describe } from 'vitest';
import type { ShellName } from '../lab/hosts/types.ts';
import { missing } from './missing.ts';
import { needs } from './needs.ts';
import { large, sampled } from './size.ts';

export interface TestShell {
  name: ShellName;
  /** What goes into `spec.shell`. */
  command: string;
  /** Why it cannot be tried on this machine. */
  lacks?: string | undefined;
}

const NAMES = ['dash', 'bash', 'busybox'] as const;
/** `npm test` runs on one of those that are there, `npm run test:all` on each. */
const tried = sampled(
  NAMES.filter((name) => !missing(name)),
  1,
);

/** The shells of targets, with those that this machine lacks. */
export const shells: TestShell[] = NAMES.map((name) => ({
  name,
  command: name === 'busybox' ? 'busybox ash' : name,
  lacks: missing(name) ?? (tried.includes(name) ? undefined : large.meta?.lacks),
}));

/** One that this machine has, where what differs between them is seen elsewhere. */
export const anyShell: TestShell = shells.find(({ lacks }) => !lacks) ?? { name: 'sh', command: 'sh' };

/**
 * A suite for each shell; that of a missing one is skipped.
 * @param title with `%s` for the shell
 * @param lacks what else may be missing
 */
export function describeShells(title: string, suite: (shell: TestShell) => void, lacks?: string): void {
  for (const shell of shells) {
    describe(title.replace('%s', shell.name), needs(lacks ?? shell.lacks), () => suite(shell));
  }
}
