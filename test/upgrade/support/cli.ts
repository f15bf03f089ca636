import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../../runner/events.ts';
import type { Lab } from '../../lab/lab.ts';
import { MAIN, ROOT } from '../../support/program.ts';

export interface CliRun {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
  events: RunEvent[];
}

/** Runs the upgrade as a process of its own; `onEvent` sees each event of `--output json` and may send signals. */
export function upgradeProcess(
  lab: Lab,
  inputs: Record<string, string>,
  onEvent: (event: RunEvent, child: ChildProcess) => void = () => {},
): Promise<CliRun> {
  const given = { channel_url: lab.channelUrl, install_script: lab.installScriptUrl, ...inputs };
  const child = spawn(
    process.execPath,
    [
      ...[MAIN, 'run', 'playbooks/upgrade-k3s.yaml', '-i', lab.inventoryFile, '--output', 'json'],
      ...Object.entries(given).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, KUBECONFIG: '' } },
  );
  const events: RunEvent[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const event = JSON.parse(line) as RunEvent;
    events.push(event);
    onEvent(event, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, events }));
  });
}
