import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { greet } from '../../../runner/connect/greet.ts';
import type { ByteStream } from '../../../runner/connect/types.ts';

const MARKS = { hello: 'hello-1', prompt: 'prompt-1' } as never;
const BECOME = { method: 'sudo', user: 'root' } as const;

/** A shell that says this on stderr and ends, in a way that was lost with its channel. */
async function refusal(said: string) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const stream = { stdin, stdout, stderr, closed: Promise.resolve({}) } as unknown as ByteStream;
  const { pid } = greet(stream, 'one', MARKS, BECOME, 60_000);
  stderr.end(said);
  stdout.end();
  return pid.then(
    () => undefined,
    (error) => ({ code: error.code, message: error.message }),
  );
}

it('a program that refuses to make root is told as such, also when its exit code is lost', async () => {
  expect(await refusal('sudo: a password is required\n')).toEqual({
    code: 'become-failed',
    message: 'one: cannot become root with sudo: sudo: a password is required',
  });
});

it('an end without a word is that of the connection', async () => {
  expect(await refusal('')).toMatchObject({ code: 'unreachable' });
});
