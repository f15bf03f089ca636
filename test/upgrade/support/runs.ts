import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../../runner/events.ts';
import { readJournal } from '../../../runner/journal/read.ts';
import type { Lab } from '../../lab/lab.ts';
import { MAIN, ROOT, supportUrl } from '../../support/program.ts';
import { until } from './wait.ts';

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  /** Both outputs. */
  text: string;
}

/** A folder for runs, and the real command line that works on it. */
export class Runs {
  readonly folder = mkdtempSync(join(tmpdir(), 'reeve-runs-'));

  /**
   * `reeve …`; ends the process with SIGKILL when `dies` says so of its journal, or right after the event of its own that
   * `dies` is the number of.
   */
  reeve(args: readonly string[], dies?: ((events: RunEvent[]) => boolean) | number): Promise<Ended> {
    const preload = typeof dies === 'number' ? ['--import', supportUrl('die-after')] : [];
    const child: ChildProcess = spawn(process.execPath, [...preload, MAIN, ...args, '--runs', this.folder], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KUBECONFIG: '', ...(typeof dies === 'number' ? { REEVE_DIE_AFTER: `${dies}` } : {}) },
    });
    let text = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (text += String(chunk)));
    const ended = new Promise<Ended>((done) => child.on('close', (code) => done({ code, text })));
    if (typeof dies === 'function')
      void until(() => child.exitCode !== null || dies(this.journal())).then(() => child.kill('SIGKILL'));
    return ended;
  }

  /** Runs `playbooks/upgrade-k3s.yaml` on a lab. */
  upgrade(
    lab: Lab,
    version: string,
    options: { more?: readonly string[]; dies?: ((events: RunEvent[]) => boolean) | number } = {},
  ): Promise<Ended> {
    return this.reeve(
      [
        ...['run', 'playbooks/upgrade-k3s.yaml', '-i', lab.inventoryFile, '-e', `version=${version}`],
        ...['-e', `channel_url=${lab.channelUrl}`, '-e', `install_script=${lab.installScriptUrl}`],
        ...(options.more ?? []),
      ],
      options.dies,
    );
  }

  /** The events of the only run there is so far. */
  journal(): RunEvent[] {
    const id = readdirSync(this.folder)[0];
    const file = join(this.folder, id ?? '', 'events.jsonl');
    return id !== undefined && existsSync(file) ? readJournal(file).events : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
