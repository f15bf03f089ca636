import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, read, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROGRAM, supportFile, supportUrl } from './program.ts';
import { messages, packed, type WarmAnswer, type WarmRequest } from './warm-messages.ts';

const readAsync = promisify(read);

/*
 * To start a process costs most of what a short command costs: half a second of CPU, of which a tenth is the command. So tests
 * whose command neither dies nor is talked to while it runs have it run by one process for each worker, of the same built program.
 */
class WarmProgram {
  readonly #child: ChildProcess;
  readonly #requests: number;
  readonly #answers: number;
  isBusy = false;
  hasEnded = false;

  constructor(options: string | undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'reeve-warm-'));
    const fifos = [join(folder, 'requests'), join(folder, 'answers')] as const;
    execFileSync('mkfifo', fifos);
    this.#child = spawn(process.execPath, [supportFile('warm-server'), ...fifos], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: options },
    });
    this.#child.unref();
    // The program opens them in the other order: each open waits for its other side.
    this.#answers = openSync(fifos[1], 'r');
    this.#requests = openSync(fifos[0], 'w');
    rmSync(folder, { recursive: true });
  }

  /** While it runs nothing else does in this process. */
  runSync(request: WarmRequest): WarmAnswer {
    this.#send(request);
    const take = messages<WarmAnswer>();
    const buffer = Buffer.alloc(65_536);
    for (;;) {
      const [answer] = take(buffer.subarray(0, this.#got(readSync(this.#answers, buffer))));
      if (answer) return this.#done(answer);
    }
  }

  async run(request: WarmRequest): Promise<WarmAnswer> {
    this.#send(request);
    const take = messages<WarmAnswer>();
    const buffer = Buffer.alloc(65_536);
    for (;;) {
      const { bytesRead } = await readAsync(this.#answers, buffer, 0, buffer.length, null);
      const [answer] = take(buffer.subarray(0, this.#got(bytesRead)));
      if (answer) return this.#done(answer);
    }
  }

  #send(request: WarmRequest): void {
    this.isBusy = true;
    const message = packed(request);
    for (let at = 0; at < message.length; ) at += writeSync(this.#requests, message, at);
  }

  #got(bytes: number): number {
    if (bytes > 0) return bytes;
    this.hasEnded = true;
    throw new Error('the program ended in the middle of a command');
  }

  #done(answer: WarmAnswer): WarmAnswer {
    this.isBusy = false;
    return answer;
  }
}

/** Preloads that change the program and do not end it: commands with one share a program that has it. */
const HARMLESS = [undefined, `--import=${supportUrl('quick-locks')}`];
const programs = new Map<string | undefined, WarmProgram>();

/** A warm program, unless this command needs a process of its own: another is running, or Node itself is told something. */
export function warmProgram(env: NodeJS.ProcessEnv): WarmProgram | undefined {
  const options = env.NODE_OPTIONS;
  if (!process.env[PROGRAM] || !HARMLESS.includes(options) || env.NODE_V8_COVERAGE) return undefined;
  let program = programs.get(options);
  if (!program || program.hasEnded) {
    program = new WarmProgram(options);
    programs.set(options, program);
  }
  return program.isBusy ? undefined : program;
}
