import type { ErrorCode, YAMLError } from 'yaml';
import type { Diagnostic } from '../errors.ts';
import type { LineIndex } from './line-index.ts';

/** Errors of one file that are reported; after so many the rest is noise. */
const MAX_ERRORS = 50;

interface Explanation {
  code: string;
  message: string;
  hint?: string;
}

/** Sentences for the parser's error codes; codes without one keep the parser's own sentence. */
const EXPLANATIONS: Partial<Record<ErrorCode, Explanation>> = {
  TAB_AS_INDENT: {
    code: 'tab-indentation',
    message: 'a tab is used for indentation; YAML allows only spaces',
    hint: 'replace the tab with two spaces for each level',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    code: 'nested-mapping-on-line',
    message: 'a second `: ` on one line; YAML reads it as a mapping inside a mapping',
    hint: 'quote the whole value when it is text: `name: "a: b"`',
  },
  MULTIPLE_DOCS: {
    code: 'several-documents',
    message: 'a second document begins here (`---`); a file holds one',
    hint: 'put it into a file of its own',
  },
  BAD_INDENT: { code: 'bad-indentation', message: 'the indentation does not fit the lines before' },
  MULTILINE_IMPLICIT_KEY: {
    code: 'bad-indentation',
    message: 'a key must stand on one line and end with `:`',
    hint: 'is a `:` missing, or a line indented too far?',
  },
  BAD_DQ_ESCAPE: {
    code: 'bad-escape',
    message: 'this escape is not known in double quotes',
    hint: 'write the backslash twice, or use single quotes, in which it is just a character',
  },
};

/** Turns what the parser found into diagnostics, at most 50 of them. */
export function explainYamlErrors(errors: readonly YAMLError[], lines: LineIndex): Diagnostic[] {
  const shown = errors
    .slice(0, MAX_ERRORS)
    .map((error) => explain(error, lines))
    .filter(isFirst);
  const rest = errors.length - MAX_ERRORS;
  if (rest > 0) {
    const last = errors.at(-1)!;
    shown.push({
      code: 'yaml-syntax',
      severity: 'error',
      message: `and ${rest} more syntax errors`,
      place: lines.place(last.pos[0]),
    });
  }
  return shown;
}

/** One trap on one line trips the parser several times. */
function isFirst({ code, place }: Diagnostic, index: number, all: readonly Diagnostic[]): boolean {
  if (code !== 'unquoted-template') return true;
  return all.findIndex((other) => other.code === code && other.place?.line === place?.line) === index;
}

function explain(error: YAMLError, lines: LineIndex): Diagnostic {
  const [start, end] = error.pos;
  const line = lines.lineAt(start);
  const known = unquotedTemplate(line) ?? byCode(error, line, start - lines.place(start).column + 1);
  const diagnostic: Diagnostic = {
    code: known.code,
    severity: 'error',
    message: known.message,
    place: lines.place(start, end),
  };
  if (known.hint) diagnostic.hint = known.hint;
  return diagnostic;
}

function byCode(error: YAMLError, line: string, lineStart: number): Explanation {
  if (error.code === 'TAG_RESOLVE_FAILED') return unknownTag(line.slice(error.pos[0] - lineStart));
  if (error.code === 'BAD_SCALAR_START') {
    const value = /(?:[:-]\s+)([@`%].*)$/.exec(line)?.[1];
    return {
      code: 'bad-scalar-start',
      message: `${lowerFirst(error.message)}`,
      hint: value ? `quote it: ${quoted(value)}` : 'quote it',
    };
  }
  return EXPLANATIONS[error.code] ?? { code: 'yaml-syntax', message: lowerFirst(error.message) };
}

/** `rest` is the line from the tag on. */
function unknownTag(rest: string): Explanation {
  const written = /^!\S*/.exec(rest)?.[0] ?? '!';
  const value = rest.trim();
  return {
    code: 'unknown-tag',
    message: `YAML reads \`${written}\` as a tag, and there is no such tag`,
    hint: value.includes('"')
      ? `an expression that begins with \`!\` must be quoted: '${value.replaceAll("'", "''")}'`
      : `an expression that begins with \`!\` must be quoted: ${quoted(value)}`,
  };
}

function unquotedTemplate(line: string): Explanation | undefined {
  const value = /(?:^|[:-])\s+(\{\{.*)$/.exec(line)?.[1];
  if (!value) return inFlow(line);
  return {
    code: 'unquoted-template',
    message: 'a value that begins with `{{` must be quoted; without quotes YAML reads a mapping',
    hint: value.includes('"') ? `'${value.replaceAll("'", "''")}'` : `"${value}"`,
  };
}

/** `{ path: /tmp/{{ name }} }`: braces inside of braces. */
function inFlow(line: string): Explanation | undefined {
  const value = /[{,]\s*[\w.-]+:\s+([^"'{},[\]]*[^"'{},[\]\s]\s*\{\{[^{}]*\}\}[^"'{},]*)/.exec(line)?.[1];
  if (!value) return undefined;
  return {
    code: 'unquoted-template',
    message: 'a value with `{{` must be quoted between `{` and `}`; without quotes YAML reads a mapping',
    hint: quoted(value.trim()),
  };
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
