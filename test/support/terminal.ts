import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  cwd?: string;
  env?: Record<string, string>;
}

/** Printed when the program has ended, before its exit code. */
const ENDED = 'ended with ';

/** Nothing of whoever runs the tests: where `CI` is set, nobody sits at a terminal. */
const A_PERSONS = { PATH: process.env.PATH ?? '', HOME: '/', TERM: 'xterm', LANG: 'C.UTF-8' };

/** A program in a real terminal. */
export class Terminal {
  readonly #socket = `reeve-${randomBytes(6).toString('hex')}`;

  constructor(command: readonly string[], { columns = 100, rows = 30, cwd = '/', env = {} }: TerminalOptions = {}) {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const line = `${command.map((word) => `'${word}'`).join(' ')}; echo "${ENDED}$?"; cat`;
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-c', cwd, ...variables, '-s', 'test', line);
  }

  /** All lines so far, also those that have scrolled out. */
  get lines(): string[] {
    const text = this.#tmux('capture-pane', '-p', '-S', '-2000', '-t', 'test');
    return text.trimEnd().split('\n');
  }

  async until(text: string): Promise<void> {
    await expect.poll(() => this.lines.join('\n'), { timeout: 600_000, interval: 100 }).toContain(text);
  }

  /** Types words and keys as tmux names them (`Enter`, `C-c`). */
  type(...keys: string[]): void {
    this.#tmux('send-keys', '-t', 'test', ...keys);
  }

  /** All lines and the exit code, once the program has ended. */
  async end(): Promise<{ code: number; lines: string[] }> {
    await this.until(ENDED);
    const lines = this.lines;
    const at = lines.findLastIndex((line) => line.includes(ENDED));
    return { code: Number(lines[at]!.slice(lines[at]!.indexOf(ENDED) + ENDED.length)), lines: lines.slice(0, at) };
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return spawnSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8', env: A_PERSONS }).stdout ?? '';
  }
}
