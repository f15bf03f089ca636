import { defineConfig } from 'vitest/config';

// Kills the lab's upgrade at some hundred moments: `npm run test:kill`.
export default defineConfig({
  test: { include: ['test/kill/**/*.kill.ts'], testTimeout: 1_800_000, hookTimeout: 120_000, pool: 'forks' },
});
