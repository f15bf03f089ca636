import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import type { ConfigFiles, ConfigLine } from './config-files.ts';
import { expandTokens } from './config-tokens.ts';
import { matchesPatterns } from './known-hosts.ts';

/** What the files say about one host; names in lower case. */
export type Settings = Record<string, string[] | undefined>;

/** OpenSSH stops at 16 levels too (readconf.c, READCONF_MAX_DEPTH). */
const INCLUDE_DEPTH = 16;
/** milliseconds for the command of a `Match exec`. */
const EXEC_TIMEOUT = 10_000;

/**
 * Asks the files in their order, as ssh_config(5) has it: the first value of a keyword stands, but every IdentityFile is
 * tried. What an `Include` brings is bound by the section it stands in, and ends no section of the file around it.
 */
export function settingsOf(files: ConfigFiles, order: readonly string[], host: string, user?: string): Settings {
  const search = new Search(files, host, user);
  search.pass(order);
  if (search.wantsFinal) {
    search.final = true;
    search.pass(order);
  }
  return search.settings;
}

class Search {
  readonly settings: Settings = {};
  /** A `Match final` was met: all is read once more, with what has been found. */
  wantsFinal = false;
  final = false;
  readonly #files: ConfigFiles;
  readonly #host: string;

  constructor(files: ConfigFiles, host: string, user: string | undefined) {
    this.#files = files;
    this.#host = host;
    if (user !== undefined) this.settings.user = [user];
  }

  pass(order: readonly string[]): void {
    for (const file of order) this.#take(this.#files.lines(file), file, 0);
  }

  #take(lines: readonly ConfigLine[], file: string, depth: number): void {
    for (const { keyword, words, below } of lines) {
      if (below) {
        if (keyword === 'host' ? matchesPatterns(words.join(','), this.#nameNow()) : this.#matches(words))
          this.#take(below, file, depth);
      } else if (keyword === 'include') this.#include(words, file, depth);
      else this.#set(keyword, words);
    }
  }

  #include(words: readonly string[], from: string, depth: number): void {
    if (depth >= INCLUDE_DEPTH) return;
    for (const file of words.flatMap((word) => this.#files.included(word, from)))
      this.#take(this.#files.lines(file), file, depth + 1);
  }

  #set(keyword: string, words: string[]): void {
    if (keyword === 'identityfile') {
      const known = this.settings.identityfile ?? [];
      this.settings.identityfile = [...new Set([...known, ...words])];
      return;
    }
    // The two are one setting to ssh: whichever comes first silences the other, also when it says `none`.
    if (keyword === 'proxycommand' && this.settings.proxyjump) return;
    if (keyword === 'proxyjump' && this.settings.proxycommand) return;
    this.settings[keyword] ??= words;
  }

  /** In the last pass sections are matched by the real name. */
  #nameNow(): string {
    return this.final ? this.#hostname() : this.#host;
  }

  #hostname(): string {
    const named = this.settings.hostname?.[0];
    return named === undefined ? this.#host : expandTokens(named, { h: this.#host });
  }

  #matches(words: readonly string[]): boolean {
    let all = true;
    for (let at = 0; at < words.length; at++) {
      const [, not, name] = /^(!?)(.*)$/.exec(words[at]!.toLowerCase())!;
      const alone = ALONE.has(name!);
      if (name === 'final' && !not) this.wantsFinal = true;
      const value = alone ? '' : (words[++at] ?? '');
      // As ssh does: no command is run once something before it did not match.
      const met = name === 'exec' && !all ? false : this.#criterion(name!, value);
      if (met === (not !== '')) all = false;
    }
    return all;
  }

  #criterion(name: string, value: string): boolean {
    switch (name) {
      case 'all':
        return true;
      case 'final':
      case 'canonical':
        return this.final;
      case 'host':
        return matchesPatterns(value.toLowerCase(), this.#hostname().toLowerCase());
      case 'originalhost':
        return matchesPatterns(value.toLowerCase(), this.#host.toLowerCase());
      case 'user':
        return matchesPatterns(value, this.settings.user?.[0] ?? userInfo().username);
      case 'localuser':
        return matchesPatterns(value, userInfo().username);
      case 'exec':
        return this.#succeeds(value);
      default:
        return false;
    }
  }

  #succeeds(command: string): boolean {
    const text = expandTokens(command, {
      h: this.#hostname(),
      k: this.settings.hostkeyalias?.[0] ?? this.#host,
      n: this.#host,
      p: this.settings.port?.[0] ?? '22',
      r: this.settings.user?.[0] ?? userInfo().username,
    });
    const shell = process.env.SHELL || '/bin/sh';
    return spawnSync(shell, ['-c', text], { stdio: 'ignore', timeout: EXEC_TIMEOUT }).status === 0;
  }
}

/** Criteria without an argument. */
const ALONE: ReadonlySet<string> = new Set(['all', 'final', 'canonical']);
