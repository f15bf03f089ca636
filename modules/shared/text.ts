/** Text of a file, in a form that edits can be made on without losing a single byte that they do not touch. */
import { TaskFailure } from '../../runner/module.ts';

export interface TextDocument {
  text: string;
  /**
   * Brings an argument of a task into the form that `text` has. A file that is not UTF-8 is handled as bytes, one
   * character each; then arguments are too, so that they still match what stands in the file.
   */
  argument(value: string): string;
  encode(text: string): Buffer;
}

/** @throws TaskFailure for UTF-16, where an edit of bytes would do damage. */
export function decodeText(content: Buffer, path: string): TextDocument {
  if ((content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff)) {
    throw new TaskFailure(`${path} is UTF-16 text, which cannot be edited here`, {
      code: 'not-text',
      hint: 'write the whole file with `copy` or `template`',
    });
  }
  const mark = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf ? 3 : 0;
  const body = content.subarray(mark);
  const encode = (encoding: BufferEncoding) => (text: string) =>
    Buffer.concat([content.subarray(0, mark), Buffer.from(text, encoding)]);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return { text, argument: (value) => value, encode: encode('utf8') };
  } catch {
    return {
      text: body.toString('latin1'),
      argument: (value) => Buffer.from(value).toString('latin1'),
      encode: encode('latin1'),
    };
  }
}

export interface Line {
  text: string;
  /** A line feed, with a carriage return before it or not; empty for a last line without an end. */
  end: '\n' | '\r\n' | '';
}

export function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    if (feed < 0) {
      lines.push({ text: text.slice(at), end: '' });
      break;
    }
    const crlf = feed > at && text[feed - 1] === '\r';
    lines.push({ text: text.slice(at, crlf ? feed - 1 : feed), end: crlf ? '\r\n' : '\n' });
    at = feed + 1;
  }
  return lines;
}

export function joinLines(lines: readonly Line[]): string {
  return lines.map(({ text, end }) => text + end).join('');
}

/** A copy with new lines at a place; they end as the first line of the file does. */
export function insertLines(lines: readonly Line[], at: number, texts: readonly string[]): Line[] {
  const end = lines[0]?.end || '\n';
  const before = lines.slice(0, at);
  const last = before.at(-1);
  if (last?.end === '') before[before.length - 1] = { ...last, end };
  return [...before, ...texts.map((text): Line => ({ text, end })), ...lines.slice(at)];
}
