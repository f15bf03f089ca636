import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { EXIT, ReeveError } from '../errors.ts';

/**
 * Asks a person a question on the terminal; what is typed for a secret is not shown.
 * @throws ReeveError `interrupted` on Ctrl-C and at the end of the input.
 */
export async function ask(question: string, secret = false): Promise<string> {
  const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });
  // readline redraws the line it reads from, so the last line of the question is its prompt.
  const lines = question.split('\n');
  const prompt = `${lines.pop()} `;
  process.stderr.write([...lines, secret ? prompt : ''].join('\n'));
  const reader = createInterface({ input: process.stdin, output: secret ? quiet : process.stderr, terminal: true });
  const given = new AbortController();
  const stop = () => given.abort();
  // While a question is open Ctrl-C comes as a key, not as a signal.
  reader.once('SIGINT', stop).once('close', stop);
  try {
    return await reader.question(secret ? '' : prompt, { signal: given.signal });
  } catch {
    process.stderr.write('\n');
    throw new ReeveError('interrupted', 'interrupted at a question', { exitCode: EXIT.interrupted });
  } finally {
    reader.close();
    if (secret) process.stderr.write('\n');
  }
}

/** Whether there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
