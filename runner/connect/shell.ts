import { randomBytes } from 'node:crypto';
import { ReeveError, UnreachableError } from '../errors.ts';
import type { RunResult } from '../module.ts';
import { followOutput } from './follow-output.ts';
import type { Greeting } from './greet.ts';
import { killGroupScript, killShellScript } from './kill-scripts.ts';
import { type Encoded, encodeRequest } from './request.ts';
import type { ByteStream, Shell, ShellRequest } from './types.ts';
import { within } from './within.ts';

/** milliseconds between TERM and KILL for a process group past its time limit. */
const TERM_GRACE = 2_000;
/** milliseconds after KILL until the shell itself is given up. */
const KILL_GRACE = 3_000;
/** milliseconds for the last output to arrive once the shell has ended. */
const DRAIN_GRACE = 250;
/** Below this many bytes a request and its content go in one write, hence in one packet. */
const ONE_WRITE = 65_536;
/** milliseconds that a closing shell has to remove its folder, and the file that it was writing. */
const CLOSE_GRACE = 2_000;

export interface ShellContext {
  /** The inventory name, for messages. */
  host: string;
  /** Another shell of the same host and user, for ending and following what this one runs; that one has none itself. */
  control?: () => Promise<Shell>;
  /** Called for each request that goes over the wire. */
  onRoundTrip?: () => void;
}

/** Random text that no output holds by chance. */
export function newNonce(): string {
  return randomBytes(9).toString('base64url').replaceAll(/[-_]/g, 'x');
}

/** What runs right now, so that it can be ended. */
interface Running {
  /** Process group of an isolated command, with the path of its output files less their suffix. */
  group?: { pid: number; files: string };
  /** Set when the frame is complete. */
  done: boolean;
}

/** The protocol over one stream whose far end has said hello. */
export class StreamShell implements Shell {
  readonly #stream: ByteStream;
  readonly #out: Greeting['out'];
  readonly #err: Greeting['err'];
  readonly #context: ShellContext;
  readonly #greeting: Greeting;
  readonly #functions = new Set<string>();
  #number = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #alive = true;
  #ending: string | undefined;
  roundTrips = 0;

  constructor(stream: ByteStream, greeting: Greeting, context: ShellContext) {
    this.#stream = stream;
    this.#out = greeting.out;
    this.#err = greeting.err;
    this.#greeting = greeting;
    this.#context = context;
    greeting.pid.catch(() => {
      this.#alive = false;
      stream.destroy();
    });
    // A write to a lost stream is reported by the read that follows it.
    stream.stdin.on('error', () => {});
    void stream.closed.then((end) => {
      this.#alive = false;
      this.#ending = describeEnd(end);
      // A process left in the background may hold the streams open for ever: what was written has arrived by then.
      setTimeout(() => {
        this.#out.fail(new Error('the shell has ended'));
        this.#err.fail(new Error('the shell has ended'));
      }, DRAIN_GRACE).unref();
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  run(request: ShellRequest): Promise<RunResult> {
    const turn = this.#queue.then(() => this.#run(request));
    // Not the result: an idle shell would keep the output of its last request for as long as the run goes on.
    this.#queue = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  async close(): Promise<void> {
    this.#alive = false;
    this.#stream.stdin.end();
    await within(CLOSE_GRACE, this.#stream.closed);
    this.#stream.destroy();
  }

  async #run(request: ShellRequest): Promise<RunResult> {
    request.signal?.throwIfAborted();
    if (!this.#alive) throw this.#lost('no script was running', false);
    const nonce = newNonce();
    const encoded = this.#encode(request, nonce);
    await this.#start(encoded);
    const running: Running = { done: false };
    const frame = this.#readFrame(request, nonce, running);
    return this.#guard(request, frame, running);
  }

  /** With the functions that this shell does not know yet; an isolated script runs in a shell of its own and knows none. */
  #encode(request: ShellRequest, nonce: string): Encoded {
    const { functions } = request;
    if (functions === undefined) return encodeRequest(request, nonce, ++this.#number);
    if (request.isolated) {
      return encodeRequest({ ...request, script: `${functions}\n${request.script}` }, nonce, ++this.#number);
    }
    const define = this.#functions.has(functions) ? undefined : functions;
    const encoded = encodeRequest(request, nonce, ++this.#number, define);
    this.#functions.add(functions);
    return encoded;
  }

  /** The first request goes out before the greeting has come back, unless a password may be asked for in between. */
  async #start(encoded: Encoded): Promise<void> {
    const first = this.roundTrips++ === 0;
    this.#context.onRoundTrip?.();
    const early = first && this.#greeting.early;
    if (early) this.#send(encoded);
    await this.#greeting.pid;
    if (early) return;
    // What came while nothing ran: late output of a process left in the background, a message to all terminals.
    this.#out.take();
    this.#err.take();
    this.#send(encoded);
  }

  #send({ line, content }: Encoded): void {
    const size = content.reduce((sum, part) => sum + part.length, line.length);
    if (size < ONE_WRITE) {
      this.#stream.stdin.write(Buffer.concat([Buffer.from(line), ...content]));
      return;
    }
    this.#stream.stdin.write(line);
    for (const part of content) this.#stream.stdin.write(part);
  }

  async #readFrame(request: ShellRequest, nonce: string, running: Running): Promise<RunResult> {
    const errors = this.#err.readUntil(nonce);
    errors.catch(() => {});
    try {
      if (request.isolated) {
        await this.#out.readUntil(`${nonce}P`);
        const announced = (await this.#out.readUntil('\n')).toString();
        const [, pid, files] = /^(\d+) (.*)$/.exec(announced) ?? [];
        if (pid !== '0') running.group = { pid: Number(pid), files: files ?? '' };
      }
      const stdout = await this.#out.readUntil(`${nonce} `);
      const code = (await this.#out.readUntil('\n')).toString();
      const stderr = await errors;
      if (code === 'F') throw noFolder(this.#context.host);
      return result(Number(code), stdout, stderr, false);
    } catch (error) {
      if (error instanceof ReeveError) throw error;
      throw await this.#lostWhileRunning(error);
    } finally {
      running.done = true;
    }
  }

  /** Waits for the frame; ends what runs at the time limit and on abort; follows the output of a long one. */
  async #guard(request: ShellRequest, frame: Promise<RunResult>, running: Running): Promise<RunResult> {
    frame.catch(() => {});
    const interruption = interruptionOf(request);
    const { control } = this.#context;
    const follower =
      request.isolated && request.onOutput && control
        ? followOutput(request.onOutput, control, () => (running.done ? undefined : running.group?.files))
        : undefined;
    try {
      const first = await Promise.race([frame, interruption.happened]);
      if (typeof first !== 'string') {
        follower?.finish(first);
        return first;
      }
      const ended = await this.#end(frame, running);
      if (first === 'aborted') throw abortError(request.signal);
      follower?.finish(ended);
      return ended;
    } finally {
      interruption.clear();
      follower?.stop();
    }
  }

  /** Ends what runs. An isolated command's frame still comes, with what it printed; a direct script ends its shell. */
  async #end(frame: Promise<RunResult>, running: Running): Promise<RunResult> {
    const { group } = running;
    if (!group) return this.#endShell();
    try {
      const control = await this.#context.control!();
      await control.run({ script: killGroupScript(group.pid, 'TERM'), timeout: TERM_GRACE });
      await within(TERM_GRACE, frame);
      // Also when the command itself has ended: others of its group may not have heeded TERM.
      await control.run({ script: killGroupScript(group.pid, 'KILL'), timeout: KILL_GRACE });
    } catch {
      return this.#endShell();
    }
    const ended = await within(KILL_GRACE, frame);
    return ended ? { ...ended, timedOut: true } : this.#endShell();
  }

  async #endShell(): Promise<RunResult> {
    this.#alive = false;
    const partial = result(124, this.#out.take(), this.#err.take(), true);
    try {
      const control = await this.#context.control?.();
      await control?.run({ script: killShellScript(await this.#greeting.pid), timeout: TERM_GRACE + KILL_GRACE });
      await within(CLOSE_GRACE, this.#stream.closed);
    } catch (error) {
      throw this.#lost('a script was past its time limit and could not be ended; it may still be running', true, error);
    } finally {
      this.#stream.destroy();
    }
    return partial;
  }

  async #lostWhileRunning(error: unknown): Promise<Error> {
    await within(1_000, this.#stream.closed);
    this.#alive = false;
    return this.#lost('a script was running, which may have done its work or part of it', true, error);
  }

  #lost(what: string, mayHaveRun: boolean, cause?: unknown): UnreachableError {
    const why = this.#ending ? ` (${this.#ending})` : '';
    return new LostError(`${this.#context.host}: the connection was lost${why}; ${what}`, mayHaveRun, cause);
  }
}

/** The connection was lost. `mayHaveRun` says whether the script may have run, or begun to. */
export class LostError extends UnreachableError {
  readonly mayHaveRun: boolean;

  constructor(message: string, mayHaveRun: boolean, cause?: unknown) {
    super(message, {
      cause,
      hint: mayHaveRun ? 'Look at the host before you run this again.' : 'Nothing was changed; run it again.',
    });
    this.mayHaveRun = mayHaveRun;
  }
}

function result(code: number, stdout: Buffer, stderr: Buffer, timedOut: boolean): RunResult {
  return { code, stdout: stdout.toString(), stderr: stderr.toString(), raw: { stdout, stderr }, timedOut };
}

function noFolder(host: string): ReeveError {
  return new ReeveError('no-temporary-folder', `${host}: no folder for temporary files can be written`, {
    hint: 'Tried $TMPDIR (or /tmp), /var/tmp, /dev/shm and the home folder. Is a file system full or read-only?',
    exitCode: 2,
  });
}

function abortError(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new ReeveError('aborted', 'The command was stopped');
}

/** Resolves at the time limit or when the signal aborts. */
function interruptionOf(request: ShellRequest): { happened: Promise<'timeout' | 'aborted'>; clear: () => void } {
  let clear = () => {};
  const happened = new Promise<'timeout' | 'aborted'>((resolve) => {
    const timer = setTimeout(() => resolve('timeout'), request.timeout);
    const abort = () => resolve('aborted');
    // It may have happened while the request was on its way.
    if (request.signal?.aborted) abort();
    request.signal?.addEventListener('abort', abort, { once: true });
    clear = () => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    };
  });
  return { happened, clear };
}

export function describeEnd(end: { code?: number; signal?: string; message?: string }): string | undefined {
  if (end.message) return end.message;
  if (end.signal) return `the shell ended by signal ${end.signal}`;
  return end.code === undefined ? undefined : `the shell ended with code ${end.code}`;
}
