import { defineConfig } from 'vitest/config';

/** `--mode all`: with the kill matrix and the comparison with Ansible, and every point of what `npm test` takes a sample of. */
const EVERYTHING = 'test/**/*.{test,kill,oracle}.ts';

/*
 * Files run side by side, more of them than a small machine has processors, since half of what a test does is to wait. A
 * worker keeps what it has loaded from one file to the next: that halves the CPU time (docs/testing.md). Limits of time are
 * generous, since no test asserts on time.
 */
export default defineConfig(({ mode }) => ({
  test: {
    include: [mode === 'all' ? EVERYTHING : 'test/**/*.test.ts'],
    env: { REEVE_TESTS: mode },
    reporters: ['default', 'test/support/summary.ts'],
    globalSetup: ['test/support/global-set-up.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
}));
