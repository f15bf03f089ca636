import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ShellName } from './types.ts';

/** The full path of a program on this machine's PATH (and the sbin folders), or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
    '/usr/sbin',
    '/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Where `sh` points on a host with this shell. Throws when the machine lacks it. */
export function shellPath(shell: ShellName): string {
  const path = findProgram(shell);
  if (!path) throw new Error(`this machine has no ${shell}`);
  return path;
}

/** What scripts of such a host have after `#!`. */
export function shebang(shell: ShellName): string {
  return shell === 'busybox' ? `${shellPath(shell)} sh` : shellPath(shell);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path.startsWith('/');
  } catch {
    return false;
  }
}
