import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRunning, lockRun } from '../../../runner/journal/run-lock.ts';
import { missingProc } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';

it('a process that has ended and that nobody has reaped holds no lock', needs(missingProc), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-lock-'));
  // The shell becomes sleep, which never asks how its child ended: the child stays a zombie.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    while (stat()[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(join(folder, 'pid.1'), JSON.stringify({ pid, host: hostname(), started: stat()[19] }));
    expect(isRunning(folder)).toBe(false);
    lockRun(folder)();
  } finally {
    parent.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
