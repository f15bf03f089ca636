import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another binary than the one in PATH, to test against an old release. */
const BINARY = process.env.REEVE_TEST_KUBECTL ?? 'kubectl';

export interface KubectlResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Kubectl {
  /** Runs kubectl with these arguments; never throws for an exit code. */
  run(args: string[], options?: { input?: string }): Promise<KubectlResult>;
  [Symbol.dispose](): void;
}

/** Why kubectl cannot be used here, or undefined when it can. */
export function kubectlMissing(): string | undefined {
  const probe = spawnSync(BINARY, ['version', '--client'], { encoding: 'utf8' });
  if (probe.error) return `${BINARY} is missing`;
  return probe.status === 0 ? undefined : `${BINARY} does not run`;
}

/** The minor version of the kubectl in use, such as 32; NaN when it does not say. */
export function kubectlMinor(): number {
  const { stdout } = spawnSync(BINARY, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  return Number(/"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1] ?? Number.NaN);
}

/** kubectl with a home of its own: discovery caches of other clusters on the same port must not leak in. */
export function kubectl(kubeconfig: string): Kubectl {
  const home = mkdtempSync(join(tmpdir(), 'reeve-kubectl-'));
  const file = join(home, 'kubeconfig');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  return {
    run: (args, { input = '' } = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(BINARY, args, { env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: file } });
        const output = { stdout: '', stderr: '' };
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          output.stdout += text;
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          output.stderr += text;
        });
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, ...output }));
        child.stdin.end(input);
      }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
