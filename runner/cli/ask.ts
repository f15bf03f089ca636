import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks a person a question on the terminal; what is typed for a secret is not shown. */
export async function ask(question: string, secret = false): Promise<string> {
  const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(`${question} `);
  const reader = createInterface({ input: process.stdin, output: secret ? quiet : process.stderr, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    if (secret) process.stderr.write('\n');
  }
}

/** Whether there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
