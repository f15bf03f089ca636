import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openLocal } from '../../../runner/connect/transports/local.ts';
import { needs } from '../../support/needs.ts';

const args = ['-c', 'echo here'];

/** What Ctrl-C does to a process that has not left our group yet: `spawn` returns, and it is dead already. */
function hitBy(signal: string, times: number) {
  const started = { count: 0 };
  const start: Parameters<typeof openLocal>[3] = (file, own, options) => {
    started.count++;
    const child = spawn(file, started.count > times ? own : ['-c', `kill -${signal} $$`], options);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    // Nothing else goes on here meanwhile, so that its end is not known yet.
    if (started.count <= times)
      while (!/\) Z/.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) Atomics.wait(pause, 0, 0, 1);
    return child;
  };
  return { start, started };
}

describe('a process on this machine', needs(!existsSync('/proc/self/exe') && 'there is no /proc'), () => {
  it.each(['INT', 'TERM', 'HUP'])('that SIG%s ends before it has begun is started again', async (signal) => {
    const { start, started } = hitBy(signal, 2);
    const stream = await openLocal('/bin/sh', args, process.env, start);
    expect(await text(stream.stdout)).toBe('here\n');
    expect([await stream.closed, started.count]).toEqual([{ code: 0 }, 3]);
  });

  it('that something else ends is not', async () => {
    const { start, started } = hitBy('KILL', 1);
    const stream = await openLocal('/bin/sh', args, process.env, start);
    expect([await stream.closed, started.count]).toEqual([{ signal: 'SIGKILL' }, 1]);
  });

  it('that cannot be started is an error', async () => {
    await expect(openLocal('/nonexistent', [])).rejects.toThrow('ENOENT');
  });
});
