/**
 * `npm run demo`: starts a small k3s cluster on this machine (SSH servers with a real sh, a Kubernetes API), looks at
 * what an upgrade would do, upgrades it with the real command line, and shows that a second run changes nothing.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startLab } from './lab.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FROM = 'v1.30.4+k3s1';
const TO = 'v1.31.5+k3s1';

/** Runs reeve as a person would, its output straight to the terminal. Gives the exit code. */
function reeve(args: string[]): Promise<number> {
  console.log(`\n$ reeve ${args.join(' ')}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['runner/cli/main.ts', ...args], { cwd: ROOT, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function check(holds: boolean, what: string): void {
  if (holds) return;
  console.error(`demo: ${what}`);
  process.exitCode = 1;
}

const started = performance.now();
console.log(`Starting a lab: one server and two agents with k3s ${FROM}`);
const lab = await startLab({ servers: 1, agents: 2, version: FROM });
try {
  const run = (...more: string[]) =>
    reeve([
      'run',
      'playbooks/upgrade-k3s.yaml',
      ...['-i', lab.inventoryFile, '-e', `version=${TO}`],
      ...['-e', `channel_url=${lab.channelUrl}`, '-e', `install_script=${lab.installScriptUrl}`],
      ...more,
    ]);

  const before = lab.fingerprint();
  check((await run('--check')) === 0, 'the check failed');
  check(lab.fingerprint() === before, 'the check changed something');
  console.log('\nNothing was written: file trees and API are as before.');

  const upgrade = performance.now();
  check((await run()) === 0, 'the upgrade failed');
  console.log(`\nThe upgrade took ${((performance.now() - upgrade) / 1000).toFixed(1)} s.`);

  const upgraded = lab.fingerprint();
  check((await run()) === 0, 'the second run failed');
  check(lab.fingerprint() === upgraded, 'the second run changed something');
  if (process.exitCode === undefined) {
    console.log(
      `\nThe second run changed nothing. Demo done in ${((performance.now() - started) / 1000).toFixed(1)} s.`,
    );
  }
} finally {
  await lab.stop();
}
