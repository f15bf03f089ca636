import { defineConfig } from 'vitest/config';

// Timeouts are generous because the machines that run this are shared; no test asserts on time. On two processors one file at a
// time: `vitest run --maxWorkers=2` takes half as long, and is how races are found.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks' },
});
