/** The file writes of the local test target, by the contract's rules: atomic, links followed, mode before the rename. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type FileUndo, TaskFailure, type WriteFileOptions } from '../../runner/module.ts';
import type { ShellCommand } from './local-target.ts';

let counter = 0;

export function writeFile(request: {
  path: string;
  content: Uint8Array | string;
  options: WriteFileOptions;
  stateDir: string;
  shell: ShellCommand;
}): FileUndo {
  const { options } = request;
  const path = followLinks(request.path);
  const before = statSync(path, { throwIfNoEntry: false });
  const temporary = `${path}.reeve-${process.pid}-${counter++}`;
  try {
    writeFileSync(temporary, request.content, { mode: 0o600, flag: 'wx' });
    setOwner(temporary, options, before);
    const mode = options.mode ? Number.parseInt(options.mode, 8) : (before?.mode ?? 0o644 & ~process.umask()) & 0o7777;
    chmodSync(temporary, mode);
    if (options.validate) validate(options.validate, temporary, request.shell);
    const undo = before ? backUp(path, before, options, request.stateDir) : { path };
    renameSync(temporary, path);
    return undo;
  } finally {
    rmSync(temporary, { force: true });
  }
}

export function restoreFile(undo: FileUndo): void {
  if (undo.backup === undefined) {
    rmSync(undo.path, { force: true });
    return;
  }
  const temporary = `${undo.path}.reeve-${process.pid}-${counter++}`;
  copyFileSync(undo.backup, temporary);
  chownSync(temporary, Number(undo.owner), Number(undo.group));
  chmodSync(temporary, Number.parseInt(undo.mode!, 8));
  renameSync(temporary, undo.path);
}

function followLinks(path: string): string {
  try {
    return followLinks(resolve(dirname(path), readlinkSync(path)));
  } catch {
    return path;
  }
}

function setOwner(temporary: string, options: WriteFileOptions, before: Stats | undefined): void {
  if (before) chownSync(temporary, before.uid, before.gid);
  if (options.owner === undefined && options.group === undefined) return;
  const wanted = `${options.owner ?? ''}${options.group === undefined ? '' : `:${options.group}`}`;
  const done = spawnSync('chown', [wanted, temporary]);
  if (done.status !== 0) throw new TaskFailure(done.stderr.toString().trim());
}

function validate(command: string, temporary: string, shell: ShellCommand): void {
  const text = command.replaceAll('%s', `'${temporary.replaceAll("'", `'\\''`)}'`);
  const [program, ...first] = shell.argv as [string, ...string[]];
  const done = spawnSync(program, [...first, '-c', text], {
    env: { ...shell.env, PATH: `${shell.env.PATH}:${process.env.PATH}` },
  });
  if (done.status !== 0) {
    throw new TaskFailure(`the new content was not accepted: ${done.stderr}${done.stdout}`.trim(), {
      code: 'validation-failed',
    });
  }
}

function backUp(path: string, before: Stats, options: WriteFileOptions, stateDir: string): FileUndo {
  if (options.backup === false) return { path };
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const backup = join(stateDir, `backup-${counter++}`);
  copyFileSync(path, backup);
  return {
    path,
    backup,
    sha256: createHash('sha256').update(readFileSync(backup)).digest('hex'),
    mode: (before.mode & 0o7777).toString(8).padStart(4, '0'),
    owner: String(before.uid),
    group: String(before.gid),
  };
}
