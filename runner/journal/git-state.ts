import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunHeader } from './folder.ts';

const TIME_LIMIT = 5_000;

/** Commit, branch and dirtiness of the repository a folder lies in; undefined outside of one, or without git. */
export async function gitState(folder: string): Promise<RunHeader['git']> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('git', ['-C', folder, ...args], { timeout: TIME_LIMIT });
    return stdout.trim();
  };
  try {
    const [commit, branch, changes] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('rev-parse', '--abbrev-ref', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no', '.'),
    ]);
    return { commit, branch, dirty: changes !== '' };
  } catch {
    return undefined;
  }
}
