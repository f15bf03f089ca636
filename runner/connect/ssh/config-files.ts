import { globSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import { ReeveError } from '../../errors.ts';

/** One word after a keyword. */
type Words = string | { val: string }[];

/** A keyword with its words, or a `Host` or `Match` line with what stands below it. */
export interface ConfigLine {
  keyword: string;
  words: string[];
  below?: ConfigLine[];
}

/** `ssh_config` files, each read once: for each of a thousand hosts anew it took 0.7 s of CPU. */
export class ConfigFiles {
  readonly #files = new Map<string, ConfigLine[]>();
  readonly #includes = new Map<string, string[]>();

  /** The lines of a file; none of one that does not exist. Throws ReeveError `bad-ssh-config`. */
  lines(file: string): ConfigLine[] {
    let lines = this.#files.get(file);
    if (!lines) {
      lines = read(file);
      this.#files.set(file, lines);
    }
    return lines;
  }

  /** The files that one word of an `Include` in `from` names. */
  included(word: string, from: string): string[] {
    const plain = word.startsWith('~/') ? join(homedir(), word.slice(2)) : word;
    const pattern = isAbsolute(plain) ? plain : join(dirname(from), plain);
    let files = this.#includes.get(pattern);
    if (!files) {
      files = matching(pattern).sort();
      this.#includes.set(pattern, files);
    }
    return files;
  }
}

function read(file: string): ConfigLine[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  try {
    return linesOf(SSHConfig.parse(text));
  } catch (cause) {
    throw new ReeveError('bad-ssh-config', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
      exitCode: 4,
    });
  }
}

function linesOf(parsed: SSHConfig): ConfigLine[] {
  return parsed.flatMap((line) => {
    if (line.type !== SSHConfig.DIRECTIVE) return [];
    const below = 'config' in line ? { below: linesOf(line.config) } : {};
    return [{ keyword: line.param.toLowerCase(), words: wordsOf(line.value), ...below }];
  });
}

function wordsOf(value: Words): string[] {
  return typeof value === 'string' ? [value] : value.map(({ val }) => val);
}

/** Debian's own `Include /etc/ssh/ssh_config.d/*.conf` needs no glob, whose first use costs 8 ms of CPU. */
function matching(pattern: string): string[] {
  const [, folder, end] = /^([^*?[{\\]*)\/\*([^/*?[{\\]*)$/.exec(pattern) ?? [];
  if (folder === undefined || end === undefined) return globSync(pattern);
  try {
    const names = readdirSync(folder || '/').filter((name) => name.endsWith(end) && !name.startsWith('.'));
    return names.map((name) => join(folder || '/', name));
  } catch {
    return [];
  }
}
