import { ReeveError } from '../errors.ts';
import { exports, quotePath } from './quote.ts';
import type { ShellRequest } from './types.ts';

/**
 * Above this many bytes, content goes by dd rather than inside the request's line: `read` takes 1 to 1.7 µs a byte, a dd
 * about 1 ms (measured on dash, bash and busybox).
 */
export const INLINE_LIMIT = 1024;
/** Functions come early: the first dd of a shell costs four processes more, to find out what it can do. */
const FUNCTIONS_LIMIT = 4096;

/** One request as it goes over the wire: a line, then the bytes that its `dd`s read. */
export interface Encoded {
  line: string;
  content: Buffer[];
}

/** Bytes that one request line may carry as they are: no control bytes but tab and newline, valid UTF-8. */
function fitsLine(text: string, limit = INLINE_LIMIT): boolean {
  return text.length <= limit && !/[\x00-\x08\x0b-\x1f\x7f\ufffd]/.test(text);
}

/** A shell word for a text that may hold newlines: each stands for `$_n`, since a request is one line. */
function lineWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('\n', `'"$_n"'`)}'`;
}

/** What an isolated script finds set up: its directory and its variables, as a shell command. */
function setUp(request: ShellRequest): string {
  const steps = [];
  if (request.cwd !== undefined) steps.push(`cd ${quotePath(request.cwd)}`);
  const variables = exports(request.env);
  if (variables) steps.push(variables);
  return steps.join('&&') || ':';
}

/** Refuses what no shell can hold in a variable. */
function checkText(text: string, what: string): void {
  if (text.includes('\0')) {
    throw new ReeveError('bad-script', `${what} holds a NUL byte, which no shell can run`, {
      hint: 'Send binary content as the standard input.',
    });
  }
}

/** Isolated requests between two clean-ups of the shell's folder. */
const CLEAN_EVERY = 64;

/**
 * Encodes a request. `number` names its files and must be new for each in this shell. `define` are functions that the
 * shell is to know from now on.
 * Throws ReeveError `bad-script` and `bad-environment`.
 */
export function encodeRequest(request: ShellRequest, nonce: string, number: number, define?: string): Encoded {
  checkText(request.script, 'The script');
  for (const value of Object.values(request.env ?? {})) checkText(value, 'An environment variable');
  const line = new Line(number);
  if (define !== undefined) line.text(`eval ${line.word(define, '_w', FUNCTIONS_LIMIT)} </dev/null >/dev/null 2>&1`);
  if (request.isolated) {
    line.folder();
    const script = line.word(request.script, '_s');
    const prepared = line.word(setUp(request), '_u');
    const stored = line.store(inputOf(request));
    const run = `_i ${nonce} ${number} ${script} ${prepared}`;
    line.text(stored ? `if ${stored};then ${run};else _x ${nonce};fi` : run);
    if (number % CLEAN_EVERY === 0) line.text('_v');
  } else {
    direct(line, request, nonce, number);
  }
  return line.encoded();
}

function direct(line: Line, request: ShellRequest, nonce: string, number: number): void {
  const variables = exports(request.env);
  const script = line.word(variables ? `${variables}\n${request.script}` : request.script, '_s');
  const input = inputOf(request);
  const text = asText(input);
  // Variables set for one script must not stay for the next.
  const bare = request.inShell === true && !variables;
  if (!input.length) line.text(`${bare ? '_e' : '_d'} ${nonce} ${script}`);
  else if (text !== undefined) line.text(`_p ${nonce} ${script} ${lineWord(text)}`);
  else {
    line.folder();
    const stored = line.store(input);
    line.text(`if ${stored};then ${bare ? '_r' : '_c'} ${nonce} ${script} ${number};else _E ${nonce} F;fi`);
  }
}

/** The commands of one request line, and the bytes that they read from the channel, in the same order. */
class Line {
  readonly #number: number;
  readonly #content: Buffer[] = [];
  readonly #commands: string[] = [];

  constructor(number: number) {
    this.#number = number;
  }

  text(command: string): void {
    this.#commands.push(command);
  }

  /** A word for `text`: the text itself, or the variable `name` that a dd fills before. */
  word(text: string, name: string, limit?: number): string {
    if (fitsLine(text, limit)) return lineWord(text);
    const bytes = Buffer.from(text);
    this.#take(bytes);
    this.text(`${name}=$(_D ${bytes.length})||exit 1`);
    return `"$${name}"`;
  }

  /** Makes the shell's folder, once. */
  folder(): void {
    this.text('[ "$_t" ]||_m');
  }

  /** The command that stores the input in the folder; it fails when it cannot. Empty without input. */
  store(input: Buffer): string {
    if (!input.length) return '';
    const text = asText(input);
    if (text === undefined) this.#take(input);
    return text === undefined ? `_a ${this.#number} ${input.length}` : `_q ${this.#number} ${lineWord(text)}`;
  }

  encoded(): Encoded {
    const probe = this.#content.length ? '[ "$_b" ]||_P;' : '';
    return { line: `${probe}${this.#commands.join(';')}\n`, content: this.#content };
  }

  /** The newline after the bytes proves that all of them came. */
  #take(bytes: Buffer): void {
    this.#content.push(bytes, NEWLINE);
  }
}

const NEWLINE = Buffer.from('\n');

function inputOf(request: ShellRequest): Buffer {
  const { stdin } = request;
  if (stdin === undefined) return Buffer.alloc(0);
  return typeof stdin === 'string' ? Buffer.from(stdin) : Buffer.from(stdin.buffer, stdin.byteOffset, stdin.byteLength);
}

function asText(input: Buffer): string | undefined {
  if (input.length > INLINE_LIMIT) return undefined;
  const text = input.toString();
  return fitsLine(text) ? text : undefined;
}
