import type { RunResult } from '../module.ts';
import { quoteWord } from './quote.ts';
import type { Shell } from './types.ts';

/** milliseconds until a command counts as long, and between two looks at its output. */
const FIRST_LOOK = 1_000;
const LOOK_EVERY = 1_000;

type OnOutput = (stream: 'stdout' | 'stderr', text: Buffer) => void;

export interface Follower {
  /** Hands out what has not been seen yet of the complete output. */
  finish(result: RunResult): void;
  stop(): void;
}

/**
 * Follows the output files of a running command over a second shell of the host. A look that fails is no error: the
 * complete output comes with the result.
 */
export function followOutput(
  onOutput: OnOutput,
  control: () => Promise<Shell>,
  files: () => string | undefined,
): Follower {
  const seen = { stdout: 0, stderr: 0 };
  let stopped = false;
  let timer = setTimeout(look, FIRST_LOOK);

  function hand(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    if (!bytes.length) return;
    seen[stream] += bytes.length;
    onOutput(stream, bytes);
  }

  async function look(): Promise<void> {
    const path = files();
    if (path !== undefined) {
      try {
        const shell = await control();
        const found = await shell.run({ script: tailScript(path, seen.stdout, seen.stderr), timeout: 10_000 });
        if (stopped || files() !== path) return;
        hand('stdout', found.raw.stdout);
        hand('stderr', found.raw.stderr);
      } catch {
        // The host may be gone: the command's own shell reports that.
      }
    }
    if (!stopped) timer = setTimeout(look, LOOK_EVERY);
  }

  return {
    finish(result) {
      stopped = true;
      hand('stdout', result.raw.stdout.subarray(seen.stdout));
      hand('stderr', result.raw.stderr.subarray(seen.stderr));
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** At most 64 KiB of each a look, so that a flood does not hold up the shell. */
function tailScript(path: string, stdout: number, stderr: number): string {
  const part = (suffix: string, from: number) =>
    `if [ -s ${quoteWord(path + suffix)} ]; then tail -c +${from + 1} ${quoteWord(path + suffix)} | dd bs=65536 count=1 2>/dev/null; fi`;
  return `${part('.o', stdout)}; { ${part('.e', stderr)}; } >&2`;
}
