import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import { namesIn, statOf } from '../load/read-folder.ts';

/** Names in a directory of sources that are none themselves: the list of Ansible (core 2.14). */
const NOT_SOURCES =
  /^\.|^host_vars$|^group_vars$|^vars_plugins$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

/** A file says what it is below its comments. */
const START = 64 * 1024;

export type Source =
  | { kind: 'hosts'; text: string }
  /** `folder` is where group_vars and host_vars are looked for. */
  | { kind: 'file' | 'program' | 'plugin'; file: string; folder: string };

/**
 * The sources that `-i` names, in order: lists of hosts, files, and the files of directories (and of directories in
 * these) in alphabetical order.
 * @throws ReeveError `inventory-missing`.
 */
export function findSources(given: readonly string[]): Source[] {
  return given.flatMap((source) => {
    const info = statSync(source, { throwIfNoEntry: false });
    if (!info) {
      if (source.includes(',')) return [{ kind: 'hosts', text: source } as const];
      throw missing(source);
    }
    if (info.isDirectory()) return filesIn(source, source);
    if (!info.isFile()) throw notFile(source);
    return [fileSource(source, dirname(source))];
  });
}

function missing(source: string): ReeveError {
  return new ReeveError('inventory-missing', `the inventory ${source} does not exist`, {
    hint: 'give a file or a directory; a list of hosts needs a comma: `-i host1,`',
    exitCode: EXIT.invalid,
  });
}

/** It is looked into before it is read, and read again after something encrypted was met: a pipe would be empty by then. */
function notFile(source: string): ReeveError {
  return new ReeveError('inventory-not-file', `the inventory ${source} is neither a file nor a directory`, {
    hint: 'write what comes out of a pipe into a file, or give the program itself: an executable is run',
    exitCode: EXIT.invalid,
  });
}

function filesIn(directory: string, folder: string): Source[] {
  return namesIn(directory)
    .filter((name) => !NOT_SOURCES.test(name))
    .flatMap((name) => {
      const path = join(directory, name);
      const info = statOf(path);
      if (info.isDirectory()) return filesIn(path, folder);
      return info.isFile() ? [fileSource(path, folder)] : [];
    });
}

function fileSource(file: string, folder: string): Source {
  const start = readStart(file);
  if (isProgram(file, start)) return { kind: 'program', file, folder };
  const isYaml = ['', '.yml', '.yaml', '.config', '.json'].includes(extname(file));
  const isPlugin = isYaml && /^(?:\{\s*)?["']?plugin["']?\s*:/m.test(start.toString('utf8'));
  return { kind: isPlugin ? 'plugin' : 'file', file, folder };
}

/** A script or a binary that may be run; that a text file has the permission alone says nothing. */
function isProgram(file: string, start: Buffer): boolean {
  const isRunnable = start.subarray(0, 2).toString('latin1') === '#!' || start.readUInt32BE(0) === 0x7f454c46;
  if (!isRunnable) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    throw new ReeveError('inventory-not-executable', `${file} is a program, but it may not be run`, {
      hint: `chmod +x ${file}`,
      exitCode: EXIT.invalid,
    });
  }
}

/** The first bytes of a file, filled up with zeros; nothing for what cannot be read, which whoever reads it reports. */
function readStart(file: string): Buffer {
  const start = Buffer.alloc(START);
  if (!existsSync(file)) return start;
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    return start.subarray(0, Math.max(4, readSync(handle, start)));
  } catch {
    return start;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
