import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { LabHosts } from '../lab/hosts/types.ts';
import { Gate } from './gate.ts';
import { MAIN } from './program.ts';
import { warmProgram } from './warm.ts';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A started `reeve`. */
export interface CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the output so far holds `text`; rejects when the process ends before. */
  until(text: string): Promise<void>;
  readonly ended: Promise<CliResult>;
}

/** A folder of its own with files in it, to run `reeve` as a real process in. */
export class CliFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'reeve-cli-'));
  readonly #main: string;
  readonly #env: Record<string, string>;
  readonly #gates: Gate[] = [];

  /** @param main what `node` runs; `env`: for every process, unless it is given another value */
  constructor({ main = MAIN, env = {} as Record<string, string> } = {}) {
    this.#main = main;
    this.#env = env;
  }

  /** Writes a file; anything but text is written as YAML. Gives its path. */
  write(name: string, content: unknown): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : stringify(content));
    return path;
  }

  /** A place where scripts wait until it is opened; in the end nobody is left waiting. */
  gate(name: string): Gate {
    const gate = new Gate(join(this.dir, name));
    this.#gates.push(gate);
    return gate;
  }

  start(args: readonly string[], env: Record<string, string> = {}): CliProcess {
    const child = spawn(process.execPath, [this.#main, ...args], {
      cwd: this.dir,
      env: this.#envWith(env),
    });
    child.stdin.end();
    const output = { stdout: '', stderr: '' };
    const watchers = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        for (const watch of watchers) watch();
      });
    }
    const ended = new Promise<CliResult>((done, failed) => {
      child.on('error', failed);
      child.on('close', (code) => done({ code, ...output }));
    });
    return {
      child,
      ended,
      until: (text) =>
        new Promise((found, failed) => {
          const watch = () => {
            if (!(output.stdout + output.stderr).includes(text)) return;
            watchers.delete(watch);
            found();
          };
          watchers.add(watch);
          watch();
          void ended.then(() => failed(new Error(`ended without "${text}": ${output.stdout}${output.stderr}`)));
        }),
    };
  }

  /** Runs a command to its end, in a process that may be the one of the commands before it. */
  run(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
    const whole = this.#envWith(env);
    const warm = this.#main === MAIN ? warmProgram(whole) : undefined;
    return warm ? warm.run({ args, cwd: this.dir, env: whole }) : this.start(args, env).ended;
  }

  /** Nothing of whoever runs the tests: no ssh configuration, no agent, no cluster. */
  #envWith(env: Record<string, string>): Record<string, string> {
    return { PATH: process.env.PATH ?? '', HOME: this.dir, TERM: 'xterm', ...this.#env, ...env };
  }

  [Symbol.dispose](): void {
    for (const gate of this.#gates) {
      gate.open();
      gate[Symbol.dispose]();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** An inventory of the lab's hosts in the group `all`. */
export function inventoryOf(hosts: LabHosts, more: Record<string, unknown> = {}): unknown {
  const entries = hosts.hosts.map((host) => [
    host.name,
    {
      address: host.address,
      ssh_port: host.port,
      ssh_user: host.user,
      ssh_private_key_file: hosts.privateKeyFile,
      ssh_known_hosts_file: hosts.knownHostsFile,
      connect_timeout: '100s',
      reeve_dir: join(host.root, 'var/lib/reeve'),
      ...more,
    },
  ]);
  return { reeve: 1, all: { hosts: Object.fromEntries(entries) } };
}

/** An inventory whose only host is this machine. */
export const LOCAL_INVENTORY = { reeve: 1, all: { hosts: { here: { transport: 'local' } } } };
