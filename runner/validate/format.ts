import { stripVTControlCharacters } from 'node:util';
import type { Diagnostic, Place } from '../errors.ts';

/** Diagnostics that are printed; more of them are only counted. */
const MAX_SHOWN = 50;
const TAB_WIDTH = 4;
const CONTEXT_LINES = 1;

/** Text of a file by the name that places give it; undefined when it cannot be shown. */
export type SourceText = (file: string) => string | undefined;

export interface FormatOptions {
  color?: boolean;
}

type Paint = (style: keyof typeof STYLES, text: string) => string;

const STYLES = { red: '31', yellow: '33', cyan: '36', bold: '1', dim: '2' } as const;

/**
 * Diagnostics as text for a person: `file:line:column: error: message`, the lines around the place with a caret under
 * it, related places, and a hint. At most 50 of them; no line break at the end.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: SourceText,
  options: FormatOptions = {},
): string {
  const paint: Paint = (style, text) => (options.color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text);
  const blocks = diagnostics.slice(0, MAX_SHOWN).map((diagnostic) => formatOne(diagnostic, sources, paint));
  const rest = diagnostics.length - MAX_SHOWN;
  if (rest > 0) blocks.push(`and ${rest} more`);
  return blocks.join('\n\n');
}

function formatOne(diagnostic: Diagnostic, sources: SourceText, paint: Paint): string {
  const { severity, message, place, hint, related = [] } = diagnostic;
  const style = severity === 'error' ? 'red' : 'yellow';
  const head = `${place ? `${paint('bold', where(place))}: ` : ''}${paint(style, severity)}: ${printable(message)}`;
  const lines = [head];
  if (place) lines.push(...excerpt(place, sources, paint, style));
  for (const { message: text, place: other } of related)
    lines.push(`  ${paint('dim', `${where(other)}: ${printable(text)}`)}`);
  if (hint) lines.push(`  ${paint('cyan', 'hint')}: ${printable(hint)}`);
  return lines.join('\n');
}

/** `file:line:column` */
function where(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** The line with a caret under the place, and a line before and after it. */
function excerpt(place: Place, sources: SourceText, paint: Paint, style: 'red' | 'yellow'): string[] {
  const lines = sources(place.file)
    ?.replace(/^\ufeff/, '')
    .split(/\r?\n/);
  const line = lines?.[place.line - 1];
  if (lines === undefined || line === undefined) return [];
  const first = Math.max(1, place.line - CONTEXT_LINES);
  const last = Math.min(lines.length, place.line + CONTEXT_LINES);
  const gutter = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1]!;
    if (number !== place.line && text.trim() === '') continue;
    const { text: window, offset } = windowOf(text, number === place.line ? place.column : 1);
    shown.push(`  ${paint('dim', `${String(number).padStart(gutter)} |`)} ${display(window)}`.trimEnd());
    if (number === place.line)
      shown.push(`  ${' '.repeat(gutter)} ${paint('dim', '|')} ${paint(style, carets(window, place, offset))}`);
  }
  return shown;
}

const MAX_WIDTH = 140;

/** The part of a very long line that holds the column. */
function windowOf(line: string, column: number): { text: string; offset: number } {
  if (line.length <= MAX_WIDTH) return { text: line, offset: 0 };
  const offset = Math.max(0, Math.min(column - MAX_WIDTH / 2, line.length - MAX_WIDTH));
  return { text: line.slice(offset, offset + MAX_WIDTH), offset };
}

/** Blanks as wide as what stands before the place, then a caret for each column of it. */
function carets(window: string, place: Place, offset: number): string {
  const start = place.column - 1 - offset;
  const end = (place.endColumn ?? place.column + 1) - 1 - offset;
  const width = Math.max(1, widthOf(display(window.slice(start, end))));
  return `${' '.repeat(widthOf(display(window.slice(0, start))))}${'^'.repeat(width)}`;
}

/** Text as it is printed: tabs as blanks, control characters made visible. */
function display(text: string): string {
  return printable(text.replaceAll('\t', ' '.repeat(TAB_WIDTH)));
}

/** What comes from a file must not steer the terminal. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd');
}

/** Columns of a terminal: East Asian wide characters and emoji take two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/\p{Mark}|\u200d|[\ufe00-\ufe0f]/u.test(char)) continue;
    width += isWide(char) ? 2 : 1;
  }
  return width;
}

function isWide(char: string): boolean {
  if (/\p{Emoji_Presentation}/u.test(char)) return true;
  return /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u.test(
    char,
  );
}
