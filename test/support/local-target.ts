/**
 * A target for module tests: the scripts run for real in a local `sh`, each in a process of its own, and files are
 * written by the scripts that the engine uses.
 *
 * It counts what would be round trips and records what was written; a ReadTarget has no write methods at all.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll } from 'vitest';
import { batchScripts, checkBatchResult } from '../../runner/connect/file-batch.ts';
import { checkFileResult, restoreFileScript, writeFileScript, writtenFile } from '../../runner/connect/files.ts';
import {
  type ClusterReader,
  type HostFacts,
  type HttpRequest,
  type ReadTarget,
  ReeveError,
  type RunOptions,
  type RunResult,
  type SourceTree,
  type WriteTarget,
} from '../../runner/module.ts';
import type { ShellName } from '../lab/hosts/types.ts';

export interface LocalTargetOptions {
  /** Default `sh`. `busybox` runs `busybox sh` with the busybox applets alone on its PATH. */
  shell?: ShellName;
  variables?: Record<string, unknown>;
  facts?: Partial<HostFacts>;
  /** What `renderSource` gives for a file's text; default: the text as it is. */
  render?: (text: string) => string | undefined;
  /** milliseconds for `remaining()` and for every script; default 30 s. */
  deadline?: number;
  cluster?: ClusterReader;
  /** PATH of the scripts; default: this process's own, for busybox a folder of its applets. */
  path?: string;
  /** What every script begins with; asked for anew each time. */
  prelude?: () => string;
}

export interface LocalTarget {
  /** Only reads. */
  read: ReadTarget;
  write: WriteTarget;
  /** Temporary folder for the test's files on the «target». */
  root: string;
  /** Temporary folder of the control machine: where `source` looks. */
  control: string;
  /** Requests that would have gone over the wire so far. */
  roundTrips: number;
  /** `run`, `writeFile PATH` …, in order. */
  writes: string[];
  warnings: string[];
  progress: string[];
  secrets: unknown[];
  /** Check mode: what earlier plans foresee; a test puts `plan.foresees` here. */
  foreseen: Record<string, unknown>;
  /** Aborts the signal, as the deadline and a second Ctrl-C do. */
  abort(): void;
  dispose(): void;
}

export function localTarget(options: LocalTargetOptions = {}): LocalTarget {
  const base = mkdtempSync(join(tmpdir(), 'reeve-target-'));
  const [root, control, stateDir] = ['root', 'control', 'state'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(root);
  mkdirSync(control);
  const deadline = options.deadline ?? 30_000;
  const shell = shellCommand(options.shell ?? 'sh', base, options.path);
  const controller = new AbortController();
  const execute = (script: string, run: RunOptions = {}) => {
    self.roundTrips++;
    return runScript(
      shell,
      (options.prelude?.() ?? '') + script,
      { timeout: deadline, ...run },
      root,
      controller.signal,
    );
  };

  const read: ReadTarget = {
    host: { name: 'test', address: '127.0.0.1', groups: [] },
    nodeName: 'test',
    variable: (name) => options.variables?.[name],
    read: execute,
    readFile: async (path) => {
      self.roundTrips++;
      return readIfThere(path);
    },
    facts: async () => {
      if (!options.facts) throw new ReeveError('no-facts', 'this test target was given no facts');
      return options.facts as HostFacts;
    },
    stateDir,
    source: async (path) => {
      const found = resolve(control, path);
      return { path: found, content: readFileSync(found), mode: octal(statSync(found).mode) };
    },
    sourceTree: async (path) => readTree(resolve(control, path)),
    renderSource: async (path) =>
      (options.render ?? ((text: string) => text))(readFileSync(resolve(control, path), 'utf8')),
    http: fetchHttp,
    cluster: async () => {
      if (!options.cluster) throw new ReeveError('cluster-unreachable', 'this test target has no cluster');
      return options.cluster;
    },
    foreseen: (key) => self.foreseen[key],
    serverReady: async () => ({ ready: false, detail: 'this test target has no API server' }),
    secret: (value) => {
      self.secrets.push(value);
      return value;
    },
    progress: (message) => void self.progress.push(message),
    warn: (message) => void self.warnings.push(message),
    remaining: () => deadline,
    signal: controller.signal,
    sleep: (ms) =>
      new Promise((done, fail) => {
        const timer = setTimeout(done, ms);
        controller.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          fail(new ReeveError('aborted', 'aborted'));
        });
      }),
    nodeIsWell: () => {},
    byHand: false,
    runId: 'test-run',
  };

  const record = <T>(what: string, action: () => T): T => {
    self.writes.push(what);
    return action();
  };
  const write: WriteTarget = {
    ...read,
    run: (script, run) => record('run', () => execute(script, run)),
    writeFile: (path, content, { backup = true, ...how } = {}) =>
      record(`writeFile ${path}`, async () => {
        const request = { path, ...how, ...(backup && { backupDir: `${stateDir}/backups` }) };
        const { script, ...options } = writeFileScript(request, content);
        return writtenFile(request, await execute(script, options));
      }),
    writeFiles: (files) =>
      record(`writeFiles ${files.length}`, async () => {
        for (const { files: some, script, ...options } of batchScripts(files, stateDir))
          checkBatchResult(some, await execute(script, options));
      }),
    restoreFile: (undo) =>
      record(`restoreFile ${undo.path}`, async () => {
        const { script, ...options } = restoreFileScript(undo);
        checkFileResult(undo.path, await execute(script, options));
      }),
    job: (job) => record(`job ${job.name}`, () => execute(job.script, { isolated: true, ...job })),
    cluster: async () => {
      throw new ReeveError('cluster-unreachable', 'this test target has no cluster to write to');
    },
    nodeState: () => {},
  };

  const self: LocalTarget = {
    read,
    write,
    root,
    control,
    roundTrips: 0,
    writes: [],
    warnings: [],
    progress: [],
    secrets: [],
    foreseen: {},
    abort: () => controller.abort(),
    dispose: () => rmSync(base, { recursive: true, force: true }),
  };
  return self;
}

/** A shell as it is started: its argv, and the environment its scripts see. */
interface ShellCommand {
  argv: string[];
  env: Record<string, string>;
}

function shellCommand(shell: ShellName, base: string, path?: string): ShellCommand {
  const env = { PATH: path ?? process.env.PATH ?? '/usr/bin:/bin', HOME: join(base, 'root'), LC_ALL: 'C' };
  if (shell !== 'busybox') return { argv: [findProgram(shell)], env };
  return { argv: [findProgram('busybox'), 'sh'], env: path ? env : { ...env, PATH: appletFolder() } };
}

let applets: string | undefined;

afterAll(() => {
  if (applets) rmSync(applets, { recursive: true, force: true });
});

/** A folder with all applets of busybox, made once a test file. */
function appletFolder(): string {
  if (applets) return applets;
  const folder = mkdtempSync(join(tmpdir(), 'reeve-applets-'));
  spawnSync('busybox', ['--install', '-s', folder]);
  applets = folder;
  return folder;
}

function runScript(
  shell: ShellCommand,
  script: string,
  options: RunOptions,
  root: string,
  signal: AbortSignal,
): Promise<RunResult> {
  return new Promise((done, fail) => {
    const [program, ...first] = shell.argv as [string, ...string[]];
    const child = spawn(program, [...first, '-c', `${options.functions ?? ''}\n${script}`], {
      // The contract honours a directory for isolated runs only.
      cwd: (options.isolated && options.cwd) || root,
      env: { ...shell.env, ...options.env },
      detached: true,
    });
    const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let timedOut = false;
    const kill = () => process.kill(-child.pid!, 'SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeout);
    signal.addEventListener('abort', kill, { once: true });
    child.stdout.on('data', (part: Buffer) => parts.stdout.push(part));
    child.stderr.on('data', (part: Buffer) => parts.stderr.push(part));
    child.stdin.on('error', () => {}); // A script need not read what it is given.
    child.stdin.end(options.stdin ?? '');
    child.on('error', fail);
    child.on('close', (code, ending) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const raw = { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
      done({
        code: code ?? 128 + (ending === 'SIGKILL' ? 9 : 15),
        stdout: raw.stdout.toString(),
        stderr: raw.stderr.toString(),
        raw,
        timedOut,
      });
    });
  });
}

const programs = new Map<string, string>();

/** Asked for once: a process takes longer than most cases. */
function findProgram(name: string): string {
  const known = programs.get(name);
  if (known !== undefined) return known;
  const path = spawnSync('sh', ['-c', `command -v ${name}`])
    .stdout.toString()
    .trim();
  programs.set(name, path);
  return path;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readTree(root: string): SourceTree | undefined {
  if (!statSync(root).isDirectory()) return undefined;
  const tree: SourceTree = { path: root, directories: [], files: [] };
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = octal(statSync(path).mode);
    if (entry.isDirectory()) tree.directories.push({ path: relative(root, path), mode });
    else tree.files.push({ path: relative(root, path), mode, content: readFileSync(path) });
  }
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  tree.directories.sort(byPath);
  tree.files.sort(byPath);
  return tree;
}

async function fetchHttp(request: HttpRequest) {
  try {
    const answer = await fetch(request.url, {
      method: request.method ?? 'GET',
      ...(request.headers && { headers: request.headers }),
      ...(request.body !== undefined && { body: request.body as string }),
      redirect: request.redirect === false ? 'manual' : 'follow',
      signal: AbortSignal.timeout(request.timeout ?? 30_000),
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
      url: answer.url,
    };
  } catch (cause) {
    throw new ReeveError('http-unreachable', `${request.url} cannot be reached`, { cause });
  }
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
