import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** `--mode all`: with the kill matrix and the comparison with Ansible, and every point of what `npm test` takes a sample of. */
const EVERYTHING = 'test/**/*.{test,kill,oracle}.ts';
/** Folders whose files take longest, the longest first: who begins last is what everybody waits for. */
const LONG = ['/test/kill/', '/test/upgrade/', '/modules/k3s/', '/unit/journal/', '/unit/cli/', '/unit/connect/'];

/** milliseconds after which a test is taken to hang: one limit for all, far beyond what the longest takes on a busy machine. */
const HANGS = 900_000;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((folder) => moduleId.includes(folder));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/*
 * Three files run side by side: on two processors 227 s instead of 255 s for `npm test`, as one of them often waits. A worker
 * keeps what it has loaded from one file to the next: that halves the CPU time of the small ones (docs/testing.md).
 * `REEVE_TEST_ORDER=SEED` shuffles the files.
 */
export default defineConfig(({ mode }) => {
  const { REEVE_TEST_ORDER: order } = process.env;
  return {
    test: {
      include: [mode === 'all' ? EVERYTHING : 'test/**/*.test.ts'],
      // Each has what the other need not have: a sample of the kill matrix; the lab's own hosts and API, which upgrades run on.
      exclude: mode === 'all' ? ['test/upgrade/killed.test.ts'] : ['test/unit/lab/**', 'test/unit/lab-api/**'],
      env: { REEVE_TESTS: mode },
      reporters: ['default', './test/support/summary.ts'],
      setupFiles: ['./test/support/leave-nothing.ts'],
      globalSetup: ['./test/support/global-set-up.ts'],
      sequence: order ? { seed: Number(order), shuffle: { files: true, tests: false } } : { sequencer: LongFirst },
      pool: 'forks',
      isolate: false,
      maxWorkers: 3,
      testTimeout: HANGS,
      hookTimeout: HANGS,
    },
  };
});
