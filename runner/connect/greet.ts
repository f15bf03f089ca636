import { ReeveError, UnreachableError } from '../errors.ts';
import { MarkerReader } from './marker-reader.ts';
import { promptPattern, type StartMarks } from './start.ts';
import type { Become, ByteStream } from './types.ts';
import { within } from './within.ts';

/** A shell on its way up: its two readers, and its pid once it has said hello. */
export interface Greeting {
  out: MarkerReader;
  err: MarkerReader;
  /** Rejects with UnreachableError or ReeveError `become-failed` when no shell comes. */
  pid: Promise<number>;
  /** True when the first request may be written before the hello: nothing can ask for a password in between. */
  early: boolean;
}

/** milliseconds from the end of a shell's output until its exit code is known; a busy machine takes its time. */
const END_KNOWN = 5_000;
/** `sudo: a password is required` */
const REFUSES = /^(sudo|su|doas): /m;
/** The exit code of the system's ssh when it got nowhere; whoever was to become another user was not asked. */
const SSH_FAILED = 255;
/** How much of what came instead of a hello is shown. */
const EXCERPT = 400;

/**
 * Waits for the hello on both streams, past banners and motd, and answers a password prompt on the way.
 * `timeout` in milliseconds.
 */
export function greet(
  stream: ByteStream,
  host: string,
  marks: StartMarks,
  become: Become | undefined,
  timeout: number,
): Greeting {
  const noise = listen(stream);
  const out = new MarkerReader(stream.stdout);
  const err = new MarkerReader(stream.stderr);
  const ready = Promise.all([err.readUntil(marks.hello), readPid(out, marks.hello)]);
  const pattern = become && promptPattern(become, marks);
  const prompts = pattern && become ? answerPrompt(stream, noise, pattern, become) : undefined;

  const pid = (async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeout);
    });
    try {
      const first = await Promise.race([ready, late, ...(prompts ? [prompts.refused] : [])]);
      if (Array.isArray(first)) return first[1];
      if (first === 'refused') throw becomeFailed(host, become!, 'the password was not accepted');
      throw new UnreachableError(`${host}: no shell answered within ${timeout} ms${shown(noise.text())}`, {
        hint: 'A login script that waits for input would do that.',
      });
    } catch (error) {
      if (error instanceof ReeveError) throw error;
      const end = await within(END_KNOWN, stream.closed);
      throw explain(host, noise.text().replaceAll(marks.prompt, ''), become, end ?? {});
    } finally {
      clearTimeout(timer);
      prompts?.stop();
      noise.stop();
    }
  })();
  pid.catch(() => {});
  return { out, err, pid, early: prompts === undefined };
}

async function readPid(out: MarkerReader, hello: string): Promise<number> {
  await out.readUntil(`${hello} `);
  return Number((await out.readUntil('\n')).toString());
}

interface Noise {
  text(): string;
  /** Calls back after each new piece. */
  watch(callback: () => void): void;
  stop(): void;
}

/** Keeps what comes on both streams before the hello. */
function listen(stream: ByteStream): Noise {
  let text = '';
  let watcher = () => {};
  const hear = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-16_384);
    watcher();
  };
  stream.stdout.on('data', hear);
  stream.stderr.on('data', hear);
  return {
    text: () => text,
    watch(callback) {
      watcher = callback;
    },
    stop() {
      stream.stdout.removeListener('data', hear);
      stream.stderr.removeListener('data', hear);
    },
  };
}

/** Sends the password at the first prompt; a second prompt means that it was wrong. */
function answerPrompt(stream: ByteStream, noise: Noise, pattern: RegExp, become: Become) {
  let seen = 0;
  let answered = false;
  let refuse: (value: 'refused') => void = () => {};
  const refused = new Promise<'refused'>((resolve) => {
    refuse = resolve;
  });
  noise.watch(() => {
    const text = noise.text();
    const match = pattern.exec(text.slice(seen));
    if (!match) return;
    if (answered) {
      refuse('refused');
      return;
    }
    answered = true;
    seen += match.index + match[0].length;
    stream.stdin.write(`${become.password}\n`);
  });
  return { refused, stop: () => noise.watch(() => {}) };
}

function shown(text: string): string {
  const tail = text.trim().slice(-EXCERPT);
  return tail ? `; it said: ${tail}` : '';
}

function becomeFailed(host: string, become: Become, why: string): ReeveError {
  return new ReeveError('become-failed', `${host}: cannot become ${become.user} with ${become.method}: ${why}`, {
    hint:
      become.password === undefined
        ? `Give become_password, or let ${become.method} work without one for this user.`
        : 'Check become_password and the rules for this user on the target.',
    exitCode: 3,
  });
}

/** Turns an end without a hello into a sentence. */
function explain(
  host: string,
  text: string,
  become: Become | undefined,
  end: { code?: number; signal?: string; message?: string },
): ReeveError {
  // How it ended can be lost with the channel; what the program said of itself is as good.
  if (become && ((end.code !== undefined && end.code !== SSH_FAILED) || REFUSES.test(text)))
    return becomeFailed(host, become, text.trim().slice(-EXCERPT) || `code ${end.code}`);
  const missing = end.code === 127 || /not found|No such file/.test(text);
  return new UnreachableError(
    `${host}: no shell could be started${end.message ? ` (${end.message})` : ''}${shown(text)}`,
    {
      hint: missing
        ? 'The target has no such shell; set the variable `target_shell` to the path of one.'
        : 'Can this user log in and run commands? A login shell such as nologin refuses.',
    },
  );
}
