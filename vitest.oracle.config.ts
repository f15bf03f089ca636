import { defineConfig } from 'vitest/config';

// Compares with Ansible itself, which must be installed: `npm run test:oracle`.
export default defineConfig({
  test: { include: ['test/oracle/**/*.oracle.ts'], testTimeout: 300_000, hookTimeout: 60_000, pool: 'forks' },
});
