import { readFileSync, statSync } from 'node:fs';
import { type Diagnostic, InvalidError, type Place } from '../errors.ts';
import { LineIndex } from './line-index.ts';

/** Files above this are not configuration any more; reading them would only use up memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What came out of pipes (`-e @/dev/stdin`), which are empty when they are read a second time. */
const piped = new Map<string, Buffer>();

/** Reads a file that must hold UTF-8 text. Throws InvalidError; `from` is the place that names the file. */
export function readText(file: string, from?: Place): string {
  let bytes: Buffer;
  try {
    bytes = piped.get(file) ?? readFileSync(file);
    if (bytes.length > 0 && !statSync(file).isFile()) piped.set(file, bytes);
  } catch (error) {
    throw new InvalidError([unreadable(file, error as NodeJS.ErrnoException, from)]);
  }
  const text = bytes.toString('utf8');
  const problem = bytes.length > MAX_BYTES ? tooLarge(file) : encodingProblem(bytes, text, file);
  if (problem) throw new InvalidError([problem]);
  return text;
}

/** Says why a file or folder cannot be read; `reason` when that is known better than the code of the error tells. */
export function unreadable(file: string, error: NodeJS.ErrnoException, from?: Place, reason?: string): Diagnostic {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder',
    EACCES: 'it may not be read by this user',
    ELOOP: 'it is a link that leads back to itself',
  };
  return {
    code: error.code === 'ENOENT' ? 'file-not-found' : 'file-unreadable',
    severity: 'error',
    message: `cannot read ${file}: ${reason ?? reasons[error.code ?? ''] ?? error.message}`,
    place: from ?? { file, line: 1, column: 1 },
  };
}

function tooLarge(file: string): Diagnostic {
  return {
    code: 'file-too-large',
    severity: 'error',
    message: `${file} is larger than ${MAX_BYTES / 1024 / 1024} MB`,
    place: { file, line: 1, column: 1 },
  };
}

function encodingProblem(bytes: Buffer, text: string, file: string): Diagnostic | undefined {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) {
    return {
      code: 'not-utf8',
      severity: 'error',
      message: 'this file is UTF-16 text',
      place: { file, line: 1, column: 1 },
      hint: 'save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)',
    };
  }
  // A replacement character that the bytes do not spell out stands for bytes that are no UTF-8.
  const at = text.indexOf('\ufffd');
  if (at === -1 || Buffer.from(text, 'utf8').equals(bytes)) return undefined;
  return {
    code: 'not-utf8',
    severity: 'error',
    message: 'this file is not UTF-8 text; is it a binary file?',
    place: new LineIndex(text, file).place(at),
  };
}

/** Characters that YAML does not allow in a text: the sign of a binary file. */
export function forbiddenCharacter(lines: LineIndex): Diagnostic | undefined {
  const at = lines.text.search(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/);
  if (at === -1) return undefined;
  const code = lines.text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  return {
    code: 'control-character',
    severity: 'error',
    message: `this file holds the control character U+${code}; is it a binary file?`,
    place: lines.place(at),
    hint: `text has no such character; within a string write it as an escape in double quotes: "\\u${code}"`,
  };
}
