import { randomBytes } from 'node:crypto';
import { ReeveError, UnreachableError } from '../errors.ts';
import type { JobOptions, RunResult } from '../module.ts';
import {
  type JobState,
  jobFolder,
  lookScript,
  readLook,
  removeScript,
  startScript,
  stopScript,
} from './job-scripts.ts';
import type { ShellRequest } from './types.ts';
import { within } from './within.ts';

/** Runs one request on the job's host, as the job's user: `connections.run` with both bound. */
export type RunRequest = (request: ShellRequest) => Promise<RunResult>;

export interface RunJobOptions extends JobOptions {
  /** Folder on the target that holds the folders of jobs; made with mode 0700. */
  dir: string;
  /** Take a job that is there already, running or ended, for this one: resume does. Otherwise a running one is an error. */
  attach?: boolean;
  onOutput?: (stream: 'stdout' | 'stderr', text: Buffer) => void;
  /** Told once each time the host ceases to answer: a machine without power would otherwise be waited for in silence. */
  onAway?: (message: string) => void;
  /**
   * Aborting stops the waiting, not the job: half an installation is worse than a whole one, and `endJob` ends it. An abort
   * by a clock (its reason is a TimeoutError) is a time limit like `timeout`.
   */
  signal?: AbortSignal;
}

/** milliseconds between two looks at a job, growing; the same after lost connections. */
const LOOKS = { first: 50, factor: 1.5, longest: 2_000 };
const REDIALS = { first: 500, factor: 2, longest: 10_000 };
/** milliseconds for one of the short scripts here. */
const SCRIPT_TIMEOUT = 30_000;
/** milliseconds between TERM and KILL at the time limit. */
const TERM_GRACE = 5_000;
/** Looks until a job counts as vanished: when its process is gone, and when it has not even written its pid. */
const PATIENCE = { vanished: 2, starting: 15 };

/**
 * Runs a script detached from the connection and waits for it; after a drop it connects again and goes on, until
 * `timeout`, when the job's process group is ended and the result has `timedOut`. The job's folder stays: `removeJobs`.
 * Throws ReeveError `job-running` (another one is at work there), `job-rebooted` (the host was restarted meanwhile),
 * `job-vanished` (killed without a trace), UnreachableError when the host stays away until the deadline.
 */
export async function runJob(run: RunRequest, options: RunJobOptions): Promise<RunResult> {
  return new Job(run, options).finish();
}

/** What has become of a job of an earlier run; undefined when there is none. */
export async function inspectJob(run: RunRequest, dir: string, name: string): Promise<JobState | undefined> {
  const look = readLook(await run({ script: lookScript(jobFolder(dir, name), 0, 0), timeout: SCRIPT_TIMEOUT }));
  return look.state === 'absent' ? undefined : look.state;
}

/** Ends the process group of a job that runs. */
export async function endJob(run: RunRequest, dir: string, name: string): Promise<void> {
  const folder = jobFolder(dir, name);
  await run({ script: stopScript(folder, 'TERM'), timeout: SCRIPT_TIMEOUT });
  const ended = async () => readLook(await run({ script: lookScript(folder, 0, 0), timeout: SCRIPT_TIMEOUT })).state;
  const deadline = Date.now() + TERM_GRACE;
  while ((await ended()) === 'running' && Date.now() < deadline) await pause(LOOKS.first * 4, undefined);
  await run({ script: stopScript(folder, 'KILL'), timeout: SCRIPT_TIMEOUT });
}

/** Takes away the folders of all jobs whose names begin so, unless they are at work; tries once. */
export async function removeJobs(run: RunRequest, dir: string, prefix: string): Promise<void> {
  await run({ script: removeScript(jobFolder(dir, prefix)), timeout: SCRIPT_TIMEOUT }).catch(() => {});
}

class Job {
  readonly folder: string;
  readonly #run: RunRequest;
  readonly #options: RunJobOptions;
  readonly #deadline: number;
  /** By which a start that was cut off is known again. */
  readonly #id = randomBytes(9).toString('hex');
  readonly #out: Buffer[] = [];
  readonly #err: Buffer[] = [];
  #seen = { stdout: 0, stderr: 0 };

  constructor(run: RunRequest, options: RunJobOptions) {
    this.#run = run;
    this.#options = options;
    this.folder = jobFolder(options.dir, options.name);
    this.#deadline = Date.now() + options.timeout;
  }

  async finish(): Promise<RunResult> {
    try {
      return await this.#watch();
    } catch (error) {
      const { signal } = this.#options;
      if (signal?.aborted && signal.reason?.name === 'TimeoutError') return this.#end();
      throw error;
    }
  }

  async #watch(): Promise<RunResult> {
    await this.#start();
    let wait = LOOKS.first;
    let silent = 0;
    for (;;) {
      if (Date.now() >= this.#deadline) return this.#end();
      await pause(Math.min(wait, this.#deadline - Date.now()), this.#options.signal);
      wait = Math.min(wait * LOOKS.factor, LOOKS.longest);
      const look = await this.#look();
      if (!look) return this.#end();
      if (look.state === 'ended') return this.#result(look.code ?? 0, false);
      silent = look.state === 'running' ? 0 : silent + 1;
      if (look.state === 'rebooted') throw this.#gone('job-rebooted', 'the host was restarted before it ended');
      if (look.state === 'absent' || silent >= PATIENCE[look.state === 'starting' ? 'starting' : 'vanished'])
        throw this.#gone('job-vanished', 'it was killed without a trace');
    }
  }

  async #start(): Promise<void> {
    const { script, env = {}, stdin, attach = false } = this.#options;
    const size = stdin === undefined ? 0 : Buffer.byteLength(stdin as string);
    const text = startScript({ folder: this.folder, id: this.#id, script, env, stdinSize: size, attach });
    const started = await this.#persist({ script: text, timeout: SCRIPT_TIMEOUT, ...(stdin ? { stdin } : {}) });
    if (!started) throw this.#tooLate();
    if (started.code === 0) return;
    if (started.code === 91) {
      throw new ReeveError('job-running', `the job «${this.#options.name}» is running already (${this.folder})`, {
        hint: 'Resume the run that started it, or wait until it has ended.',
        exitCode: 2,
      });
    }
    throw new ReeveError('job-failed', `the job «${this.#options.name}» cannot be started: ${started.stderr.trim()}`, {
      exitCode: 2,
    });
  }

  async #look() {
    const script = lookScript(this.folder, this.#seen.stdout, this.#seen.stderr);
    const result = await this.#persist({ script, timeout: SCRIPT_TIMEOUT });
    if (!result) return undefined;
    const look = readLook(result);
    this.#hand('stdout', look.stdout);
    this.#hand('stderr', look.stderr);
    return look;
  }

  #hand(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    if (!bytes.length) return;
    this.#seen[stream] += bytes.length;
    (stream === 'stdout' ? this.#out : this.#err).push(bytes);
    this.#options.onOutput?.(stream, bytes);
  }

  /** Runs a request until the host answers; undefined when the deadline comes first. All requests here may be repeated. */
  async #persist(request: ShellRequest): Promise<RunResult | undefined> {
    let delay = REDIALS.first;
    let told = false;
    for (;;) {
      this.#options.signal?.throwIfAborted();
      try {
        const answer = await this.#run({
          ...request,
          ...(this.#options.signal ? { signal: this.#options.signal } : {}),
        });
        if (!answer.timedOut) return answer;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        if (Date.now() + delay >= this.#deadline) throw this.#away(error);
        const seconds = Math.round((this.#deadline - Date.now()) / 1000);
        if (!told) this.#options.onAway?.(`${error.message}; trying again for ${seconds} s`);
        told = true;
      }
      if (Date.now() >= this.#deadline) return undefined;
      await pause(delay, this.#options.signal);
      delay = Math.min(delay * REDIALS.factor, REDIALS.longest);
    }
  }

  /** Past the deadline: TERM, then KILL, then what it printed. */
  async #end(): Promise<RunResult> {
    const { name, dir } = this.#options;
    await endJob(this.#run, dir, name);
    const result = await within(
      SCRIPT_TIMEOUT,
      this.#run({ script: lookScript(this.folder, this.#seen.stdout, this.#seen.stderr), timeout: SCRIPT_TIMEOUT }),
    );
    const look = result && readLook(result);
    if (look) {
      this.#hand('stdout', look.stdout);
      this.#hand('stderr', look.stderr);
    }
    return this.#result(look?.code ?? 124, true);
  }

  #result(code: number, timedOut: boolean): RunResult {
    const stdout = Buffer.concat(this.#out);
    const stderr = Buffer.concat(this.#err);
    return { code, stdout: stdout.toString(), stderr: stderr.toString(), raw: { stdout, stderr }, timedOut };
  }

  #gone(code: string, why: string): ReeveError {
    return new ReeveError(code, `the job «${this.#options.name}» did not finish: ${why}`, {
      hint: `What it printed is in ${this.folder} on the host. Look at the host's state before you run this again.`,
      exitCode: 2,
    });
  }

  #away(cause: UnreachableError): UnreachableError {
    return new UnreachableError(`${cause.message}; the job «${this.#options.name}» may still be running`, {
      cause,
      hint: `It goes on without the connection; resume attaches to it (${this.folder} on the host).`,
    });
  }

  #tooLate(): ReeveError {
    return new ReeveError('deadline', `the job «${this.#options.name}» could not be started in time`, { exitCode: 2 });
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      },
      Math.max(0, ms),
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}
