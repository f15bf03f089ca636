/** A target over one host of the lab: scripts run in a real sh with that host's environment, files are the host's. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { JobOptions, RunOptions, RunResult, WriteTarget } from '../../runner/module.ts';
import type { LabHost } from '../lab/hosts/types.ts';
import { localTarget } from './local-target.ts';

export interface LabTarget {
  target: WriteTarget;
  /** Scripts that only read, and those that write, as they came. */
  reads: string[];
  writes: string[];
  jobs: JobOptions[];
  warnings: string[];
  secrets: unknown[];
  /** The last nodeState. */
  nodeState: string | undefined;
  /** The last recordUndo. */
  undo: unknown;
  dispose(): void;
}

/** @param shell program and arguments before `-c`; default `sh` as the host has it */
export function labTarget(host: LabHost, shell: string[] = ['sh'], over: Partial<WriteTarget> = {}): LabTarget {
  const base = localTarget();
  const execute = (script: string, options: RunOptions = {}) => run(host, shell, script, options);
  const self: LabTarget = {
    target: {
      ...base.write,
      host: { name: host.name, address: host.address, groups: [] },
      nodeName: host.name,
      stateDir: join(host.root, 'var/lib/reeve/run'),
      read: (script, options) => {
        self.reads.push(script);
        return execute(script, options);
      },
      run: (script, options) => {
        self.writes.push(script);
        return execute(script, options);
      },
      job: (options) => {
        self.jobs.push(options);
        return execute(options.script, options);
      },
      nodeState: (_node, state) => {
        self.nodeState = state;
      },
      recordUndo: (undo) => {
        self.undo = undo;
      },
      ...over,
    },
    reads: [],
    writes: [],
    jobs: [],
    warnings: base.warnings,
    secrets: base.secrets,
    nodeState: undefined,
    undo: undefined,
    dispose: base.dispose,
  };
  return self;
}

function run(host: LabHost, shell: string[], script: string, options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const [program = 'sh', ...first] = [...shell, '-c', `${options.functions ?? ''}\n${script}`];
    const child = spawn(program, first, {
      cwd: join(host.root, 'root'),
      env: { ...host.environment, ...options.env },
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.stdin);
    child.on('error', reject);
    child.on('close', (code) => {
      const raw = { stdout: Buffer.concat(out), stderr: Buffer.concat(err) };
      const [stdout, stderr] = [raw.stdout.toString('utf8'), raw.stderr.toString('utf8')];
      resolve({ code: code ?? 255, stdout, stderr, raw, timedOut: false });
    });
  });
}
