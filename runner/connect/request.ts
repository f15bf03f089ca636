import { ReeveError } from '../errors.ts';
import { quoteWord } from './quote.ts';
import type { ShellRequest } from './types.ts';

/**
 * Above this many bytes, content goes by dd rather than inside the request's line: `read` takes 1 to 1.7 µs a byte, a dd
 * about 1 ms (measured on dash, bash and busybox).
 */
export const INLINE_LIMIT = 1024;

/** One request as it goes over the wire: a line, then the bytes that its `dd`s read. */
export interface Encoded {
  line: string;
  content: Buffer[];
}

/** Bytes that one request line may carry as they are: no control bytes but tab and newline, valid UTF-8. */
function fitsLine(text: string): boolean {
  return text.length <= INLINE_LIMIT && !/[\x00-\x08\x0b-\x1f\x7f\ufffd]/.test(text);
}

/** A shell word for a text that may hold newlines: each stands for `$_n`, since a request is one line. */
function lineWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('\n', `'"$_n"'`)}'`;
}

/** What an isolated script finds set up: its directory and its variables, as a shell command. */
function setUp(request: ShellRequest): string {
  const steps = [];
  if (request.cwd !== undefined) steps.push(`cd -- ${quoteWord(request.cwd)}`);
  const variables = exports(request.env);
  if (variables) steps.push(variables);
  return steps.join('&&') || ':';
}

function exports(env: Record<string, string> | undefined): string {
  const entries = Object.entries(env ?? {});
  for (const [name] of entries) {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ReeveError('bad-environment', `«${name}» cannot be the name of an environment variable`, {
        hint: 'Use letters, digits and underscores; the first may not be a digit.',
      });
    }
  }
  return entries.length ? `export ${entries.map(([name, value]) => `${name}=${quoteValue(value)}`).join(' ')}` : '';
}

/** Always quoted: `export A=~` would otherwise be expanded. */
function quoteValue(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Refuses what no shell can hold in a variable. */
function checkText(text: string, what: string): void {
  if (text.includes('\0')) {
    throw new ReeveError('bad-script', `${what} holds a NUL byte, which no shell can run`, {
      hint: 'Send binary content as the standard input.',
    });
  }
}

/**
 * Encodes a request. `number` names the files of an isolated one and must be new for each in this shell.
 * Throws ReeveError `bad-script` and `bad-environment`.
 */
export function encodeRequest(request: ShellRequest, nonce: string, number: number): Encoded {
  const content: Buffer[] = [];
  const word = (text: string): string => {
    if (fitsLine(text)) return lineWord(text);
    const bytes = Buffer.from(text);
    content.push(bytes);
    return `"$(_D ${bytes.length})"`;
  };
  checkText(request.script, 'The script');
  for (const value of Object.values(request.env ?? {})) checkText(value, 'An environment variable');

  const line = request.isolated
    ? isolatedLine(request, nonce, number, word, content)
    : directLine(request, nonce, word, content);
  return { line: `${content.length ? '[ "$_b" ]||_P;' : ''}${line}\n`, content };
}

type Word = (text: string) => string;

function directLine(request: ShellRequest, nonce: string, word: Word, content: Buffer[]): string {
  const variables = exports(request.env);
  const script = word(variables ? `${variables}\n${request.script}` : request.script);
  const input = inputOf(request);
  if (!input.length) return `_d ${nonce} ${script}`;
  const text = asText(input);
  if (text !== undefined) return `_p ${nonce} ${script} ${lineWord(text)}`;
  content.push(input);
  return `_c ${nonce} ${script} ${input.length}`;
}

function isolatedLine(request: ShellRequest, nonce: string, number: number, word: Word, content: Buffer[]): string {
  const input = inputOf(request);
  let store = '';
  if (input.length) {
    const text = asText(input);
    if (text === undefined) content.push(input);
    store = text === undefined ? `_a ${number} ${input.length};` : `_q ${number} ${lineWord(text)};`;
  }
  return `[ "$_t" ]||_m;${store}_i ${nonce} ${number} ${word(request.script)} ${word(setUp(request))}`;
}

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
