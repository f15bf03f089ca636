import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Timeouts are generous because the machines that run this are shared; no test asserts on time. Most tests wait for processes
// of their own: two at once pay on two processors as well.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
