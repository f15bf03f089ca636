/**
 * A process that runs one command line of `reeve` after another, as a new process of it would: with the words, the folder and the
 * environment of each, and an answer when nothing of it is open any more. Beside `warm.ts`, which talks to it.
 *
 * Arguments: two FIFOs, for requests and for answers.
 */

import { openSync, read, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { main } from '../../runner/cli/app.ts';
import { messages, packed, type WarmAnswer, type WarmRequest } from './warm-messages.ts';

const [requests, answers] = process.argv.slice(2) as [string, string];
/** milliseconds that a process waits for what is still open, as main.ts has it. */
const STILL_OPEN = 3_000;
/** milliseconds after which a command is taken to hang. */
const HANGS = 600_000;
const readAsync = promisify(read);

const output = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = ((text: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    output[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const written = typeof encoding === 'function' ? encoding : done;
    if (typeof written === 'function') process.nextTick(written);
    return true;
  }) as typeof process.stdout.write;
}

function become({ cwd, env }: WarmRequest): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
}

const open = () => process.getActiveResourcesInfo().sort().join(', ');

/** Until nothing is open but what was before: a process of its own would end then. */
async function closed(before: string): Promise<void> {
  const until = performance.now() + STILL_OPEN;
  while (open() !== before) {
    if (performance.now() > until) {
      output.stderr += `reeve: ended although this was still open: ${open()}\n`;
      return;
    }
    await sleep(2);
  }
}

async function answer(request: WarmRequest): Promise<WarmAnswer> {
  Object.assign(output, { stdout: '', stderr: '' });
  process.exitCode = undefined;
  become(request);
  // The reading of the request is open until now.
  await new Promise(setImmediate);
  const before = open();
  const code = await main([process.execPath, 'reeve', ...request.args]);
  await new Promise(setImmediate);
  await closed(before);
  // So that the folder can be removed.
  process.chdir('/');
  return { code, ...output };
}

const answering = openSync(answers, 'w');
const asking = openSync(requests, 'r');
const take = messages<WarmRequest>();
const buffer = Buffer.alloc(65_536);
for (;;) {
  const { bytesRead } = await readAsync(asking, buffer, 0, buffer.length, null);
  // Whoever asked is gone.
  if (bytesRead === 0) process.exit();
  const [request] = take(buffer.subarray(0, bytesRead));
  if (!request) continue;
  const hangs = setTimeout(() => process.exit(1), HANGS).unref();
  const message = packed(await answer(request));
  clearTimeout(hangs);
  for (let at = 0; at < message.length; ) at += writeSync(answering, message, at);
}
