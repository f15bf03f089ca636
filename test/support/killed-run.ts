import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../runner/events.ts';
import { readJournal } from '../../runner/journal/read.ts';
import { ROOT, supportFile } from './program.ts';
import { type ReeveResult, reeveSync } from './reeve-sync.ts';
import { snapshotTree } from './tree.ts';

export interface KilledResult extends ReeveResult {
  signal: NodeJS.Signals | null;
}

/** A playbook in a folder of its own, run by real processes that kill themselves where they are told to. */
export class KilledRun {
  readonly dir = mkdtempSync(join(tmpdir(), 'reeve-killed-'));
  /** Where tasks write: the variable `base`. */
  readonly base = join(this.dir, 'base');
  readonly runs = join(this.dir, 'runs');
  readonly playbook = join(this.dir, 'play.yaml');
  readonly inventory = join(this.dir, 'inventory.yaml');
  readonly env: Record<string, string>;

  /** @param vars YAML lines of variables of all hosts, each with four spaces before it. */
  constructor(playbook: string, { vars = '', hosts = 'x', env = {} as Record<string, string> } = {}) {
    this.env = env;
    mkdirSync(this.base);
    writeFileSync(this.playbook, playbook);
    const list = hosts.split(' ').map((host) => `    ${host}:\n`);
    writeFileSync(
      this.inventory,
      `reeve: 1\nall:\n  vars:\n    transport: local\n    base: '${this.base}'\n    reeve_dir: '${this.dir}/state'\n${vars}  hosts:\n${list.join('')}`,
    );
  }

  /** Runs it until right after the event `dieAfter` (see run-and-die.ts); 0 lets it live. */
  run(dieAfter: number | string, fault = ''): KilledResult {
    if (dieAfter === 0 && fault === '')
      return { signal: null, ...this.reeve('run', this.playbook, '-i', this.inventory) };
    return this.#node(supportFile('run-and-die'), this.playbook, this.inventory, this.runs, String(dieAfter), fault);
  }

  /** Resumes it and kills that right after the event `dieAfter`; `accept` accepts changes. */
  resumeAndDie(dieAfter: number | string, fault = ''): KilledResult {
    return this.#node(supportFile('run-and-die'), 'resume', '', this.runs, String(dieAfter), fault);
  }

  reeve(command: string, ...more: string[]): ReeveResult {
    return reeveSync([command, ...more, '--runs', this.runs], { env: { ...process.env, ...this.env } });
  }

  resume(...more: string[]): ReeveResult {
    return this.reeve('resume', 'last', '--output', 'plain', ...more);
  }

  get folder(): string {
    return join(this.runs, readdirSync(this.runs)[0]!);
  }

  events(): RunEvent[] {
    return readJournal(join(this.folder, 'events.jsonl')).events;
  }

  read(name: string): string {
    return readFileSync(join(this.base, name), 'utf8');
  }

  /** What tasks left: path → content. */
  left(): Record<string, unknown> {
    const entries = Object.entries(snapshotTree(this.base)).filter(([path]) => path !== '');
    return Object.fromEntries(entries.map(([path, { content }]) => [path, content]));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #node(...args: string[]): KilledResult {
    const env = { ...process.env, ...this.env };
    return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 600_000, env });
  }
}
