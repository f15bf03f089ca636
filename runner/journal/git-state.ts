import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RunHeader } from './folder.ts';

const TIME_LIMIT = 5_000;

/** Commit, branch and dirtiness of the repository a folder lies in; undefined outside of one, or without git. */
export async function gitState(folder: string): Promise<RunHeader['git']> {
  try {
    if (!mayLieInRepository(folder)) return undefined;
    // Its second format tells all three: each further git would cost another 10 ms of CPU.
    const args = ['-C', folder, 'status', '--porcelain=v2', '--branch', '--untracked-files=no', '.'];
    const { stdout } = await promisify(execFile)('git', args, { timeout: TIME_LIMIT });
    const commit = /^# branch\.oid ([0-9a-f]+)$/m.exec(stdout)?.[1];
    const branch = /^# branch\.head (.*)$/m.exec(stdout)?.[1];
    if (commit === undefined || branch === undefined) return undefined;
    // Without a branch `rev-parse --abbrev-ref` says HEAD, and so do the records of earlier runs.
    return { commit, branch: branch === '(detached)' ? 'HEAD' : branch, dirty: /^[^#]/m.test(stdout) };
  } catch {
    return undefined;
  }
}

/** Whether there is a `.git` at or above a folder: to ask git costs a process. @throws Error when there is no such folder */
function mayLieInRepository(folder: string): boolean {
  if (process.env.GIT_DIR !== undefined) return true;
  for (let here = realpathSync(folder); ; here = dirname(here)) {
    if (existsSync(join(here, '.git'))) return true;
    if (here === dirname(here)) return false;
  }
}
