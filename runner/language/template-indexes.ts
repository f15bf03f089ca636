import { Fault } from './fault.ts';
import { skipQuoted, type Tag } from './template-scan.ts';

/** A template with `a["b c"]` and `a[0]` written the way Handlebars reads them, and the way back to the original. */
export interface Rewritten {
  text: string;
  /** The offset in the original of an offset in the rewritten text. */
  originalOffset(offset: number): number;
}

/**
 * Rewrites `hosts["k3s-1"].ip` to `hosts.[k3s-1].ip` and `list[0]` to `list.[0]`, so that a path copied from a
 * condition means the same in a template.
 * @throws Fault for an index that is not a constant.
 */
export function rewriteIndexes(text: string, tags: Tag[]): Rewritten {
  const moves: { from: number; delta: number }[] = [];
  let output = '';
  let copied = 0;
  for (const tag of tags) {
    if (tag.isComment) continue;
    for (const index of findIndexes(tag)) {
      output += `${text.slice(copied, index.start)}.[${index.key}]`;
      copied = index.end;
      moves.push({ from: output.length, delta: copied - output.length });
    }
  }
  if (moves.length === 0) return { text, originalOffset: (offset) => offset };
  output += text.slice(copied);
  return {
    text: output,
    originalOffset: (offset) => offset + deltaAt(moves, offset),
  };
}

function deltaAt(moves: { from: number; delta: number }[], offset: number): number {
  let low = 0;
  let high = moves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moves[middle]!.from <= offset) low = middle + 1;
    else high = middle;
  }
  return moves[low - 1]?.delta ?? 0;
}

interface Index {
  start: number;
  end: number;
  key: string;
}

function findIndexes(tag: Tag): Index[] {
  const found: Index[] = [];
  const { content } = tag;
  for (let at = 0; at < content.length; at++) {
    const end = skipQuoted(content, at);
    // `.[…]` and `[…]` at the start of a path are Handlebars' own
    if (content[at] === '[' && /[\w\])-]/.test(content[at - 1] ?? ' ')) {
      found.push({ start: tag.contentStart + at, end: tag.contentStart + end + 1, key: constantKey(tag, at, end) });
    }
    at = end;
  }
  return found;
}

function constantKey(tag: Tag, start: number, end: number): string {
  const inside = tag.content.slice(start + 1, Math.max(start + 1, end)).trim();
  const match = /^(?:"([^"\\\]]*)"|'([^'\\\]]*)'|(\d+))$/.exec(inside);
  if (match) return match[1] ?? match[2] ?? match[3] ?? '';
  const message = `in a template an index is a constant: \`["name"]\` or \`[0]\`, not \`[${inside}]\``;
  const hint = 'write `(lookup list index)` or `(lookup hosts name "ip")` for an index that is computed';
  throw new Fault('template-syntax', tag.contentStart + start, message, hint);
}
