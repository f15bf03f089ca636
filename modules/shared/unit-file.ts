/** Reading systemd unit files and environment files, after systemd.syntax(7), systemd.service(5) and systemd.exec(5). */

export interface Directive {
  section: string;
  key: string;
  value: string;
}

/** Directives in order; continued lines joined, comments left out (also those between continued lines). */
export function parseUnitFile(text: string): Directive[] {
  const directives: Directive[] = [];
  let section = '';
  let pending = '';
  for (const raw of [...text.split(/\r?\n/), '']) {
    if (pending !== '' && /^\s*[#;]/.test(raw)) continue;
    const line = pending + raw;
    pending = '';
    if (line.endsWith('\\')) {
      pending = `${line.slice(0, -1)} `;
      continue;
    }
    const trimmed = line.trim();
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue;
    const header = /^\[(.+)\]$/.exec(trimmed);
    if (header) {
      section = header[1]!;
      continue;
    }
    const at = trimmed.indexOf('=');
    if (at > 0) directives.push({ section, key: trimmed.slice(0, at).trim(), value: trimmed.slice(at + 1).trim() });
  }
  return directives;
}

/** Values of a key over a unit and its drop-ins; an empty value forgets those before it. */
export function valuesOf(directives: Directive[], section: string, key: string): string[] {
  let values: string[] = [];
  for (const one of directives) {
    if (one.section !== section || one.key !== key) continue;
    values = one.value === '' ? [] : [...values, one.value];
  }
  return values;
}

/**
 * Words of a command line. Quotes are taken away; backslash escapes, `%` specifiers and `$` stay as they are written,
 * since the words go back into a unit file. Only `\'` and `\"` become the quote they stand for: the install script
 * writes a quote in its own way.
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === '\\' && i + 1 < line.length) {
      const next = line[++i]!;
      word = (word ?? '') + (next === "'" || next === '"' ? next : char + next);
    } else if (quoted !== '') {
      if (char === quoted) quoted = '';
      else word += char;
    } else if (char === "'" || char === '"') {
      quoted = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Words of the last ExecStart, without the prefixes that systemd gives a meaning (`-`, `@`, `:`, `+`, `!`). */
export function execStart(directives: Directive[]): string[] {
  const line = valuesOf(directives, 'Service', 'ExecStart').at(-1) ?? '';
  return splitCommandLine(line.replace(/^[-@:+!]+/, ''));
}

/**
 * Variables of an environment file. Single quotes keep everything, in double quotes and outside a backslash takes the
 * meaning of the character after it; a value may be put together of several quoted parts, as `sh -c export` writes it.
 */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const start = /^[\s;]*(?:[#;][^\n]*(?:\n|$)\s*)*/.exec(text.slice(at))![0].length;
    at += start;
    const name = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/.exec(text.slice(at));
    if (!name) {
      // Not an assignment: systemd ignores such a line with a warning in its journal.
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end + 1;
      continue;
    }
    const value = readValue(text, at + name[0].length);
    variables.set(name[1]!, value.text);
    at = value.end;
  }
  return variables;
}

function readValue(text: string, from: number): { text: string; end: number } {
  let value = '';
  let kept = 0;
  let quoted = '';
  let i = from;
  for (; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && quoted !== "'" && i + 1 < text.length) {
      const next = text[++i]!;
      if (next === '\n') continue;
      // In double quotes only these four lose their backslash, as in sh.
      value += quoted === '"' && !'"\\`$'.includes(next) ? char + next : next;
      kept = value.length;
    } else if (quoted !== '') {
      if (char === quoted) quoted = '';
      else value += char;
      kept = value.length;
    } else if (char === '\n') {
      break;
    } else if (char === "'" || char === '"') {
      quoted = char;
      kept = value.length;
    } else {
      value += char;
      if (!/\s/.test(char)) kept = value.length;
    }
  }
  return { text: value.slice(0, kept), end: i + 1 };
}
