import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ShellName } from './types.ts';

/** The full path of a program on this machine's PATH (and the sbin folders), or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The machine's own program for a shell. Throws when it has none. */
export function requireShell(shell: ShellName): string {
  const path = findProgram(shell);
  if (!path) throw new Error(`this machine has no ${shell}`);
  return path;
}

/** Where `sh` points on the host with this root. */
export function shellPath(root: string, shell: ShellName): string {
  return shell === 'busybox' ? join(root, 'lab/bin/busybox') : requireShell(shell);
}

/** Argv of the host's shell; with a blank between, what its scripts have after `#!`. */
export function shellArgv(root: string, shell: ShellName): string[] {
  return shell === 'busybox' ? [shellPath(root, shell), 'sh'] : [shellPath(root, shell)];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path.startsWith('/');
  } catch {
    return false;
  }
}
