import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunHeader } from './folder.ts';

const TIME_LIMIT = 5_000;

/** Commit, branch and dirtiness of the repository a folder lies in; undefined outside of one, or without git. */
export async function gitState(folder: string): Promise<RunHeader['git']> {
  try {
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
