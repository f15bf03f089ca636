/** A word of a line, with the offset it begins at. */
export interface Word {
  text: string;
  at: number;
}

/**
 * Divides a line of an INI inventory into words as Python's shlex does with comments: quotes group, a backslash escapes
 * outside of single quotes, and `#` begins a comment even within a word.
 * @returns the words, or what is wrong and where.
 */
export function shellWords(line: string): Word[] | { problem: string; at: number } {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(line[at])) at++;
    if (at >= line.length || line[at] === '#') return words;
    const start = at;
    SIMPLE.lastIndex = at;
    const simple = SIMPLE.exec(line)![0];
    at += simple.length;
    if (at >= line.length || isSpace(line[at]) || line[at] === '#') {
      words.push({ text: simple, at: start });
      continue;
    }
    const word = readWord(line, at, simple);
    if ('problem' in word) return word;
    words.push({ text: word.text, at: start });
    at = word.end;
  }
}

const SIMPLE = /[^\s'"\\#]*/y;

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

type Read = { text: string; end: number } | { problem: string; at: number };

function readWord(line: string, from: number, before: string): Read {
  let text = before;
  let at = from;
  while (at < line.length && !isSpace(line[at]) && line[at] !== '#') {
    const char = line[at]!;
    if (char === '\\') {
      if (at + 1 >= line.length) return { problem: 'there is nothing after the backslash', at };
      text += line[at + 1];
      at += 2;
    } else if (char === "'" || char === '"') {
      const quoted = readQuoted(line, at, char);
      if ('problem' in quoted) return quoted;
      text += quoted.text;
      at = quoted.end;
    } else {
      text += char;
      at++;
    }
  }
  return { text, end: at };
}

function readQuoted(line: string, open: number, quote: string): Read {
  let text = '';
  for (let at = open + 1; at < line.length; at++) {
    const char = line[at]!;
    if (char === quote) return { text, end: at + 1 };
    // Within double quotes a backslash escapes only the quote and itself.
    if (char === '\\' && quote === '"' && (line[at + 1] === '"' || line[at + 1] === '\\')) text += line[++at];
    else text += char;
  }
  return { problem: `this ${quote} is never closed`, at: open };
}
