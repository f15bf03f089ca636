import { Fault } from './fault.ts';
import { skipQuoted, type Tag } from './template-scan.ts';

const RAW = 'put `!raw` before the string to keep it as it is';
const JINJA_STATEMENT =
  /\{%[-+~]?\s*(?:if|elif|else|endif|for|endfor|set|block|include|import|from|macro|raw|extends|filter|with|call|do)\b|\{%[^{}]*%\}/;

/**
 * Text that was written for Go templates, Helm, Docker, Prometheus or Jinja would otherwise give a syntax error that
 * helps nobody, or worse, be rendered.
 * @throws Fault that names the `!raw` tag and, for a Jinja filter, the form to write.
 */
export function refuseForeignText(text: string, tags: Tag[]): void {
  const statement = JINJA_STATEMENT.exec(text);
  if (statement && !tags.some((tag) => tag.start < statement.index && statement.index < tag.end)) {
    const hint = `write \`{{#if …}}\`, \`{{#each …}}\`; or, if it is meant for another program, ${RAW}`;
    throw new Fault('foreign-template', statement.index, '`{% … %}` is a Jinja statement', hint);
  }
  for (const tag of tags) if (!tag.isComment) refuseForeignTag(text, tag);
}

function refuseForeignTag(text: string, tag: Tag): void {
  const shown = shorten(text.slice(tag.start, tag.end));
  const go = () =>
    new Fault('foreign-template', tag.start, `\`${shown}\` is text for another templater (Go templates)`, RAW);
  if (/^\s*-?\s*(?:\$|range\b)/.test(tag.content)) throw go();
  if (/^\s*-?\s*\.(?!\/|\.(?:\/|\s*$))/.test(tag.content)) {
    const isThis = tag.content.trim() === '.';
    if (!isThis) throw go();
    throw new Fault(
      'foreign-template',
      tag.start,
      '`{{.}}` is text for another templater',
      `${RAW}; or write \`{{this}}\``,
    );
  }
  if (/^-|\s-$/.test(tag.content)) {
    const hint = `trim space with \`{{~ … ~}}\`; or, if it is meant for another program, ${RAW}`;
    throw new Fault('foreign-template', tag.start, `\`${shown}\` trims space the way other templaters do`, hint);
  }
  const pipe = findPipe(tag.content);
  if (pipe >= 0) throw filterFault(tag, pipe);
}

/** Offset of the first `|` that is neither quoted nor part of block parameters (`as |a b|`), or -1. */
function findPipe(content: string): number {
  const parameters = /\bas\s+\|[^|]*\|\s*~?$/.exec(content);
  const end = parameters ? parameters.index : content.length;
  for (let at = 0; at < end; at++) {
    if (content[at] === '|') return at;
    at = skipQuoted(content, at);
  }
  return -1;
}

/** Jinja filters that have a helper here, by the helper's name. */
const FILTERS: Record<string, string> = {
  default: 'default',
  d: 'default',
  to_json: 'json',
  tojson: 'json',
  to_nice_json: 'json',
  join: 'join',
  quote: 'quote',
  b64encode: 'b64',
  lower: 'lower',
  upper: 'upper',
  trim: 'trim',
  replace: 'replace',
  split: 'split',
  basename: 'basename',
  dirname: 'dirname',
  length: 'length',
  count: 'length',
  first: 'first',
  last: 'last',
  unique: 'unique',
  sort: 'sort',
};

function filterFault(tag: Tag, pipe: number): Fault {
  const offset = tag.contentStart + pipe;
  const message = '`|` filters are not part of the language: a helper stands before its value';
  const rewritten = rewriteFilters(tag.content);
  const hint = rewritten
    ? `write \`${rewritten}\`; or, if the text is meant for another program, ${RAW}`
    : `write \`{{helper value}}\`; or, if the text is meant for another program, ${RAW}`;
  return new Fault('foreign-template', offset, message, hint);
}

/** `a | default('x') | upper` as `{{upper (default a "x")}}`, or undefined when it is more than names and constants. */
export function rewriteFilters(content: string): string | undefined {
  const [value, ...filters] = splitAtPipes(content);
  if (value === undefined || !/^[\w.[\]"']+$/.test(value)) return undefined;
  let expression = value.replaceAll("'", '"');
  for (const [index, filter] of filters.entries()) {
    const match = /^(\w+)\s*(?:\((.*)\))?$/s.exec(filter);
    const helper = match && FILTERS[match[1]!];
    if (!helper) return undefined;
    const given = rewriteArguments(match[2] ?? '');
    if (!given) return undefined;
    const call = [helper, expression, ...given].join(' ');
    expression = index === filters.length - 1 ? call : `(${call})`;
  }
  return `{{${expression}}}`;
}

/** Constants and names between commas, with double quotes; undefined when there is anything else. */
function rewriteArguments(text: string): string[] | undefined {
  if (text.trim() === '') return [];
  const ARGUMENT = /\s*("[^"\\]*"|'[^'"\\]*'|[\w.]+)\s*(?:,|$)/y;
  const found: string[] = [];
  for (let match = ARGUMENT.exec(text); match; match = ARGUMENT.exec(text)) {
    found.push(match[1]!.replace(/^'(.*)'$/s, '"$1"'));
    if (ARGUMENT.lastIndex === text.length) return found;
  }
  return undefined;
}

function splitAtPipes(content: string): string[] {
  const parts: string[] = [];
  let rest = content;
  for (let pipe = findPipe(rest); pipe >= 0; pipe = findPipe(rest)) {
    parts.push(rest.slice(0, pipe).trim());
    rest = rest.slice(pipe + 1);
  }
  return [...parts, rest.trim()];
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}
