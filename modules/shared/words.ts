/**
 * Splits a line into words as a shell does: blanks separate; single quotes, double quotes and backslashes protect.
 * Nothing is expanded. Returns a sentence instead of words when a quote is not closed.
 */
export function splitWords(line: string): { words: string[] } | { problem: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quoteMark = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (quoteMark === "'") {
      if (char === "'") quoteMark = '';
      else word += char;
    } else if (char === '\\') {
      const next = line[++at];
      if (next === undefined) return { problem: 'the command ends in a backslash' };
      // Between double quotes a backslash protects only what has a meaning there.
      const kept = quoteMark === '"' && !'$`"\\\n'.includes(next) ? '\\' : '';
      word = (word ?? '') + (next === '\n' ? '' : kept + next);
    } else if (quoteMark === '"') {
      if (char === '"') quoteMark = '';
      else word += char;
    } else if (char === "'" || char === '"') {
      quoteMark = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quoteMark)
    return { problem: `the command has a ${quoteMark === '"' ? 'double' : 'single'} quote that is not closed` };
  if (word !== undefined) words.push(word);
  return { words };
}
