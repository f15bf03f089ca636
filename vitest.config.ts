import { defineConfig } from 'vitest/config';

// Timeouts are generous because the machines that run this are shared; no test asserts on time.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks' },
});
