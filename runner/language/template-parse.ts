import Handlebars from 'handlebars';
import { Fault } from './fault.ts';
import { refuseForeignText } from './template-foreign.ts';
import { rewriteIndexes } from './template-indexes.ts';
import { checkBlocks, findTags } from './template-scan.ts';

/** A template as Handlebars reads it. */
export interface ParsedTemplate {
  program: hbs.AST.Program;
  /** Offset in the original text of where a node starts. */
  offsetOf(node: hbs.AST.Node): number;
}

/** @throws Fault for everything that is no template of this language. */
export function parseTemplate(text: string): ParsedTemplate {
  const tags = findTags(text);
  refuseForeignText(text, tags);
  checkBlocks(tags);
  const rewritten = rewriteIndexes(text, tags);
  const lines = lineStarts(rewritten.text);
  const clamp = (offset: number) => Math.min(Math.max(0, rewritten.originalOffset(offset)), text.length);
  const offsetAt = (line: number, column: number) => clamp((lines[line - 1] ?? 0) + column);
  try {
    const program = Handlebars.parse(rewritten.text);
    return { program, offsetOf: (node) => offsetAt(node.loc.start.line, node.loc.start.column) };
  } catch (error) {
    throw syntaxFault(error, text, offsetAt, clamp);
  }
}

// Handlebars counts \r\n, \r and \n as line ends
function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n?|\n/g), (match) => match.index + match[0].length)];
}

interface HandlebarsLexer {
  matched?: string;
  match?: string;
}

function syntaxFault(
  error: unknown,
  text: string,
  offsetAt: (line: number, column: number) => number,
  clamp: (offset: number) => number,
): Fault {
  const { message, lineNumber, column } = error as Error & { lineNumber?: number; column?: number };
  const hint = 'a template holds names (`{{host.name}}`), helpers (`{{join list ","}}`) and blocks (`{{#if name}}`)';
  if (lineNumber !== undefined && column !== undefined) {
    const reason = message.replace(/ - \d+:\d+$/, '');
    return new Fault('template-syntax', offsetAt(lineNumber, column), `this template cannot be read: ${reason}`, hint);
  }
  // the parser's own message has no offset, only a drawing; its lexer knows where it stopped
  const lexer = (Handlebars as unknown as { Parser?: { lexer?: HandlebarsLexer } }).Parser?.lexer;
  const offset = clamp((lexer?.matched?.length ?? 0) - (lexer?.match?.length ?? 0));
  return new Fault('template-syntax', offset, unexpected(text, offset, lexer?.match ?? ''), hint);
}

function unexpected(text: string, offset: number, found: string): string {
  const before = text.slice(0, offset);
  if (/\{\{[{&~]*\s*$/.test(before) && /^[}~]/.test(found)) return 'this `{{ }}` is empty';
  if (found === '') return 'this template ends too early';
  if (/^\.$|^\/$/.test(found) || before.endsWith('.')) {
    return `\`${found}\` is no name that can follow a dot; write \`["…"]\` for unusual names and \`[0]\` for positions`;
  }
  return `this template cannot be read: unexpected \`${found}\``;
}
