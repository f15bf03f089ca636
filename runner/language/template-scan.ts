import { Fault } from './fault.ts';

/** One `{{ … }}` in a template, found before Handlebars reads it. */
export interface Tag {
  start: number;
  end: number;
  /** What stands between the braces, sigils (`#`, `/`, `~`, `&`, `{`) included, and where it starts. */
  content: string;
  contentStart: number;
  isComment: boolean;
}

/**
 * Every tag of a template, in order; `\{{` starts none.
 * @throws Fault for a tag that never ends and for a raw block.
 */
export function findTags(text: string): Tag[] {
  const tags: Tag[] = [];
  let from = 0;
  while (true) {
    const start = text.indexOf('{{', from);
    if (start < 0) return tags;
    if (text[start - 1] === '\\' && text[start - 2] !== '\\') {
      from = start + 2;
      continue;
    }
    if (text.startsWith('{{{{', start)) {
      const hint = 'put `!raw` before the string to keep all of it as it is';
      throw new Fault('template-syntax', start, 'raw blocks `{{{{…}}}}` are not part of the language', hint);
    }
    const tag = readTag(text, start);
    tags.push(tag);
    from = tag.end;
  }
}

function readTag(text: string, start: number): Tag {
  const triple = text.startsWith('{{{', start);
  const contentStart = start + (triple ? 3 : 2);
  const comment = /^~?!(--)?/.exec(text.slice(contentStart, contentStart + 4));
  if (comment) {
    const close = comment[1] ? '--' : '';
    const match = text.indexOf(`${close}}}`, contentStart + comment[0].length);
    const tilde = close ? text.indexOf('--~}}', contentStart + comment[0].length) : -1;
    const end = tilde >= 0 && (match < 0 || tilde < match) ? tilde + 5 : match < 0 ? -1 : match + close.length + 2;
    if (end < 0) throw unclosed(start, 'comment');
    return { start, end, content: text.slice(contentStart, end - 2), contentStart, isComment: true };
  }
  const close = triple ? '}}}' : '}}';
  for (let at = contentStart; at < text.length; at++) {
    if (text.startsWith(close, at)) {
      return {
        start,
        end: at + close.length,
        content: text.slice(contentStart, at),
        contentStart,
        isComment: false,
      };
    }
    if (text.startsWith('{{', at)) break;
    at = skipQuoted(text, at);
  }
  throw unclosed(start, triple ? '`{{{`' : '`{{`');
}

function unclosed(start: number, what: string): Fault {
  const hint = 'close it with the same number of braces; for text that is no template put `!raw` before the string';
  return new Fault('template-syntax', start, `this ${what} is never closed`, hint);
}

/**
 * When a quoted string or a `[…]` segment starts at `at`, the offset of its last character; else `at`. An opening
 * without an end is no quoted text.
 */
export function skipQuoted(text: string, at: number): number {
  const open = text[at];
  if (open !== '"' && open !== "'" && open !== '[') return at;
  const close = open === '[' ? ']' : open;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\' && text[end + 1] === close) end++;
    else if (text[end] === close) return end;
    else if (open === '[' && (text[end] === '"' || text[end] === "'")) {
      const quote = skipQuoted(text, end);
      if (quote === end) continue;
      end = quote;
    }
  }
  return at;
}

/** Beyond this the time that Handlebars takes grows with the square of the depth; nobody writes it. */
const MAX_DEPTH = 100;
const OPEN_BLOCK = /^~?[#^][>*]?\s*([^\s}~|()]+)/;
const CLOSE_BLOCK = /^~?\/\s*([^\s}~]*)/;

/**
 * @throws Fault when blocks do not close in the order they opened (Handlebars only says that the text ended) or are
 * nested too deeply.
 */
export function checkBlocks(tags: Tag[]): void {
  const open: { name: string; start: number }[] = [];
  for (const tag of tags) {
    if (tag.isComment) continue;
    if (open.length > MAX_DEPTH || parenthesesDepth(tag.content) > MAX_DEPTH) {
      throw new Fault('template-syntax', tag.start, 'this template is nested too deeply');
    }
    const opened = OPEN_BLOCK.exec(tag.content);
    if (opened && !/^else\b/.test(opened[1]!)) open.push({ name: opened[1]!, start: tag.start });
    const closed = CLOSE_BLOCK.exec(tag.content);
    if (!closed) continue;
    const block = open.pop();
    if (!block)
      throw new Fault('template-syntax', tag.start, `\`{{/${closed[1]}}}\` closes a block that was never opened`);
    if (block.name === closed[1]) continue;
    const message = `\`{{#${block.name}}}\` is closed by \`{{/${closed[1]}}}\``;
    throw new Fault('template-syntax', tag.start, message, `write \`{{/${block.name}}}\` here`);
  }
  const left = open.pop();
  if (!left) return;
  const message = `the block \`{{#${left.name}}}\` is never closed`;
  throw new Fault('template-syntax', left.start, message, `add \`{{/${left.name}}}\` where it ends`);
}

function parenthesesDepth(content: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < content.length; at++) {
    if (content[at] === '(') deepest = Math.max(deepest, ++depth);
    else if (content[at] === ')') depth--;
    at = skipQuoted(content, at);
  }
  return deepest;
}
