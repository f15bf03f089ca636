import { spawnSync } from 'node:child_process';
import { MAIN, ROOT } from './program.ts';
import { warmProgram } from './warm.ts';

export interface ReeveResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `reeve` to its end, in a process that may be the one of the commands before it; nothing else goes on meanwhile here. */
export function reeveSync(args: readonly string[], { cwd = ROOT, env = process.env } = {}): ReeveResult {
  const warm = warmProgram(env);
  if (warm) {
    const { code, stdout, stderr } = warm.runSync({ args, cwd, env: { ...env } as Record<string, string> });
    return { status: code, stdout, stderr };
  }
  return spawnSync(process.execPath, [MAIN, ...args], { cwd, env, encoding: 'utf8', timeout: 600_000 });
}
