import { type ASTNode, type EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { CEL_CONSTANTS, CEL_RESERVED, celEnvironment } from './cel-environment.ts';
import { Fault } from './fault.ts';

/** @throws Fault `expression-syntax`. */
export function parseExpression(text: string): ParseResult {
  if (text.trim() === '') throw new Fault('expression-syntax', 0, 'this condition is empty');
  const braces = text.indexOf('{{');
  if (braces >= 0 && !/^\s*\{\{\s*["']/.test(text.slice(braces))) {
    const hint = 'write `installed.version != target.version`, not `{{ … }}`';
    throw new Fault('expression-syntax', braces, 'conditions are CEL expressions: names stand without braces', hint);
  }
  try {
    const parsed = celEnvironment.parse(text);
    refuseTypeNames(parsed.ast);
    return parsed;
  } catch (error) {
    if (error instanceof ParseError) throw syntaxFault(error, text);
    throw error;
  }
}

const TYPE_NAMES = new Set([...CEL_CONSTANTS].filter((name) => !['optional', 'cel', 'google'].includes(name)));

/**
 * `list.exists(…)` means a variable called `list`, but CEL reads the name of a type. A type is only ever compared
 * (`type(a) == list`), so anywhere else the message can say what to write.
 */
function refuseTypeNames(node: ASTNode, isCompared = false): void {
  if (node.op === 'id') {
    if (isCompared || !TYPE_NAMES.has(node.args)) return;
    const message = `\`${node.args}\` is the name of a type in CEL`;
    throw new Fault('expression-syntax', node.start, message, `write \`vars.${node.args}\` for the variable`);
  }
  const compares = ['==', '!=', 'in', 'list', '?:'].includes(node.op);
  for (const child of childrenOf(node)) refuseTypeNames(child, compares);
}

function childrenOf(node: ASTNode): ASTNode[] {
  const isNode = (value: unknown): value is ASTNode => typeof value === 'object' && value !== null && 'op' in value;
  if (node.op === 'value') return [];
  return [node.args].flat(3).filter(isNode);
}

/** Findings of the library's type check that hold whatever the variables are, and that no rule of ours relaxes. */
const CERTAIN = new Set(['no_such_overload', 'no_matching_overload', 'invalid_logical_operand', 'cannot_index_type']);
const NUMBERS = /^no such overload: (?:int|uint|double|dyn) \S+ (?:int|uint|double|dyn)$/;
const LISTS = /^no such overload: .*(?:list<.*(?:\+|in)|(?:\+|in) list<)/;

/** @throws Fault `expression-value` for types that can never fit, whatever the variables are. */
export function checkTypes(parsed: ParseResult): void {
  const checked = parsed.check();
  if (checked.valid || !checked.error) return;
  const error = checked.error as unknown as EvaluationError;
  if (!CERTAIN.has(error.code) || NUMBERS.test(error.summary) || LISTS.test(error.summary)) return;
  throw new Fault('expression-value', error.range?.start ?? 0, explainOverload(error.summary));
}

/** The library's `no such overload` in the words of this language. */
export function explainOverload(original: string): string {
  const summary = withoutParameters(original);
  const binary = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary);
  if (binary) {
    const [, left, operator, right] = binary as unknown as [string, string, string, string];
    const known = [left, right].filter((type) => type !== 'dyn').map(typeName);
    return `\`${operator}\` does not work ${known.length === 2 ? `between ${known.join(' and ')}` : `on ${known[0]}`}`;
  }
  const unary = /^no such overload: ([!-])(\S+)$/.exec(summary);
  if (unary) return `\`${unary[1]}\` does not work on ${typeName(unary[2]!)}`;
  const logic = /^Logical operator requires bool operands, got '(.*)'$/.exec(summary);
  if (logic) return `\`&&\` and \`||\` need true or false, not ${typeName(logic[1]!)}`;
  const call = /^found no matching overload for '(.*)'$/.exec(summary);
  if (call) return `there is no function \`${call[1]!.replaceAll(/\bdyn\b/g, 'value')}\` for these types`;
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}

/** `list<dyn<int>>` as `list`, `dyn<int>` as `int`. Operators have space around them, parameters have none. */
function withoutParameters(summary: string): string {
  const shorter = summary.replaceAll(/\bdyn<([^<>]*)>/g, '$1').replaceAll(/\b(?!dyn<)([\w.]+)<[^<>]*>/g, '$1');
  return shorter === summary ? summary : withoutParameters(shorter);
}

function typeName(plain: string): string {
  if (/^(?:int|uint|double)$/.test(plain)) return 'a number';
  if (plain.startsWith('list')) return 'a list';
  if (plain.startsWith('map')) return 'a mapping';
  if (plain.startsWith('optional')) return 'an optional value (end it with `.orValue(…)`)';
  if (plain === 'null') return 'null';
  const name = plain === 'bool' ? 'boolean' : plain.replace('google.protobuf.', '').toLowerCase();
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

const WORDS: Record<string, string> = {
  and: 'write `&&` for and',
  or: 'write `||` for or',
  not: 'write `!` for not',
  is: 'write `has(a.b)` or `defined(name)` to ask whether something is defined',
  if: 'write `condition ? one : other`',
};

function syntaxFault(error: ParseError, text: string): Fault {
  const offset = Math.min(error.range?.start ?? 0, text.length);
  const word = /^\w+/.exec(text.slice(offset))?.[0];
  const before = /(\w+)\s*$/.exec(text.slice(0, offset))?.[1];
  if (
    word !== undefined &&
    (CEL_RESERVED.has(word) || CEL_CONSTANTS.has(word)) &&
    error.code === 'reserved_identifier'
  ) {
    const message = `\`${word}\` is a word that CEL keeps for itself`;
    return new Fault('expression-syntax', offset, message, `write \`vars.${word}\` for the variable`);
  }
  const jinja = WORDS[word ?? ''] ?? WORDS[before ?? ''];
  if (jinja) return new Fault('expression-syntax', offset, `unexpected \`${word ?? text[offset] ?? ''}\``, jinja);
  return new Fault(
    'expression-syntax',
    offset,
    explainSyntax(error, text, offset),
    hintFor(text[offset], text[offset + 1]),
  );
}

function explainSyntax(error: ParseError, text: string, offset: number): string {
  const found = /^(?:\w+|[^\w\s])/.exec(text.slice(offset))?.[0];
  switch (error.code) {
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return 'this text is not closed: its second quote is missing';
    case 'newline_in_string':
      return 'a text in quotes must end on its line';
    case 'unexpected_token':
    case 'unexpected_character':
    case 'expected_token':
      return found === undefined ? 'this condition ends too early' : `unexpected \`${found}\``;
    case 'invalid_macro_argument':
      return 'here stands a name of your choice, as in `list.exists(item, …)`';
    default:
      return error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
  }
}

function hintFor(found: string | undefined, next: string | undefined): string | undefined {
  if (found === '=' && next !== '=') return 'write `==` to compare';
  if (found === '|') return 'write `||` for or; there are no filters, write `default(name, "…")`';
  if (found === '&') return 'write `&&` for and';
  return undefined;
}
